import { hasWay, missingBlock } from '../../../cluster/readiness.ts'
import type { CancelSignal } from '../../../core/cancel-signal.ts'
import type { ModelManifest } from '../../../core/manifest.ts'
import { NAME_PATTERN } from '../../../core/name-pattern.ts'
import type { TraceParent } from '../../../core/parse-traceparent.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { UserError } from '../../../core/user-error.ts'
import { whyNoModel } from '../why-no-model.ts'
import type { Asker } from './asker.ts'
import { batchOf, joinBatch, sizeOfBatch, splitBatch } from './batch.ts'
import { fitRequest } from './fit-request.ts'
import { RequestError } from './request-error.ts'
import type { PartOutcome, RequestPart } from './request-source.ts'
import { Seats, type SeatsParts } from './seats.ts'

export interface RequestDeskParts extends Omit<SeatsParts, 'most'> {
  readonly limits?: Partial<RequestLimits>
}

export interface RequestLimits {
  /** Requests without an answer, of all who ask. @default 1024 */
  readonly requests: number
  /** The same of one of them, so that others find room. @default 256 */
  readonly requestsEach: number
  /** Sources at once. @default 128 */
  readonly sources: number
  /** Data in one request. @default 1024 */
  readonly batch: number
}

export const REQUEST_LIMITS: RequestLimits = { requests: 1024, requestsEach: 256, sources: 128, batch: 1024 }

export interface ComputeRequest {
  /** Its name. */
  readonly model: string
  /** Kept until it is answered, not written to. */
  readonly tensors: readonly Tensor[]
  readonly asker: Asker
  /** What it counts beside others. @default 1 */
  readonly weight?: number
  /** One that is not begun so long after it came is refused. @default it waits as long as it takes */
  readonly timeout?: Seconds | undefined
  /** It is not wanted any more. */
  readonly signal?: CancelSignal | undefined
  /** What whoever asks follows it as. */
  readonly trace?: TraceParent | undefined
}

/** Why nothing can be computed with a model. */
export interface ModelLack {
  readonly words: string
  /** No device of the cluster has room for it; otherwise it is being loaded. */
  readonly fitsNowhere: boolean
}

export interface Computed {
  readonly outputs: readonly Tensor[]
  readonly manifest: ModelManifest
  /** Data that were computed for it: its batch, in parts. */
  readonly runs: number
  /** Some of it was sent out more than once: who had it first may still read its tensors, for nobody. */
  readonly wasResent: boolean
  /** Blocks ran so long for it, all parts together. */
  readonly served: Seconds
  /** From when it was asked for to its outcome. */
  readonly took: Seconds
}

/**
 * Requests of other programs, each answered once: whoever asks is a source of the cluster, so that its data are computed
 * wherever the cluster computes them, whether this device carries their model or not, and nobody starves another. Only in
 * memory: what is under way is gone with this device.
 */
export class RequestDesk implements AsyncDisposable {
  readonly limits: RequestLimits
  readonly #parts: RequestDeskParts
  readonly #seats: Seats
  /** Models of which every block was there once: while that changes, their requests wait. */
  readonly #served = new Set<string>()
  #pending = 0
  #isStopped = false

  constructor(parts: RequestDeskParts) {
    this.#parts = parts
    this.limits = { ...REQUEST_LIMITS, ...parts.limits }
    this.#seats = new Seats({ ...parts, most: this.limits.sources })
  }

  /** Requests without an answer. */
  get pending(): number {
    return this.#pending
  }

  /** Nothing new is taken any more. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** @throws RequestError */
  async compute(request: ComputeRequest): Promise<Computed> {
    const { clock } = this.#parts
    const since = clock.now()
    const manifest = this.model(request.model)
    const parts = this.#partsOf(manifest, request.tensors)
    this.#requireReady(manifest, request.model)
    if (request.signal?.aborted === true) throw new RequestError('cancelled', 'nobody waits for it any more')
    const asked = this.#ask(request, parts.tensors)
    this.#pending++
    try {
      const outcomes = await this.#outcomes(asked, request)
      const outputs = parts.join(outcomes.map(outcome => outcome.outputs))
      const served = seconds(outcomes.reduce((sum, outcome) => sum + outcome.served, 0))
      const wasResent = outcomes.some(({ attempts }) => attempts > 1)
      return { outputs, manifest, runs: outcomes.length, wasResent, served, took: seconds(clock.now() - since) }
    } finally {
      this.#pending--
    }
  }

  /** @throws RequestError `noSuchModel` */
  model(name: string): ModelManifest {
    const { view } = this.#parts.device
    const choice = view.chooseModel(name)
    if (name !== '' && choice.kind === 'model') return choice.manifest
    const refusal = name === '' ? '' : whyNoModel(name, choice, device => view.nameOf(device))
    throw new RequestError('noSuchModel', refusal || `model "${name}" is not in the cluster`, { model: name })
  }

  /** @returns why nothing can be computed with it now; undefined where it can */
  lackOf(manifest: ModelManifest): ModelLack | undefined {
    const { view, sourcesHaveBegun } = this.#parts.device
    if (!sourcesHaveBegun)
      return {
        words: 'this device has not begun yet: it waits for its first placement, or for more devices',
        fitsNowhere: false
      }
    const m = view.world.modelIndex(manifest.id)
    const missing = m === undefined ? 0 : missingBlock(view.world, m, view.selfIndex)
    if (missing === undefined) return undefined
    const unplaced = this.#parts.device
      .status()
      .placement.unplaced.find(({ model, block }) => model === view.labelOf(manifest.id) && block >= 0)
    const why = unplaced === undefined ? 'is being loaded' : `fits nowhere: ${unplaced.because}`
    return { words: `block ${missing} of ${manifest.blocks.length} ${why}`, fitsNowhere: unplaced !== undefined }
  }

  /** @returns why what can be computed with it would wait all the same; undefined where it gets to all its blocks and back */
  lackOfWay({ id }: ModelManifest): string | undefined {
    const { view } = this.#parts.device
    const m = view.world.modelIndex(id)
    if (m === undefined || hasWay(view.world, m, view.selfIndex)) return undefined
    return 'no way is known yet to the devices that compute it, or back from them'
  }

  /** Its requests are not waited for any more. */
  async leave(model: string): Promise<void> {
    this.#served.delete(model)
    await this.#seats.removeModel(model)
  }

  /** Nothing new is taken from now on. */
  refuse(): void {
    this.#isStopped = true
  }

  /** What has no answer is told so. Idempotent. */
  async stop(): Promise<void> {
    this.refuse()
    await this.#seats.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #requireReady(manifest: ModelManifest, name: string): void {
    if (this.#isStopped) throw new RequestError('stopped', 'this device is being stopped')
    if (this.#served.has(manifest.id)) return
    const lack = this.lackOf(manifest)
    if (lack !== undefined)
      throw new RequestError('notReady', `model "${name}" is not ready: ${lack.words}`, { model: name })
    this.#served.add(manifest.id)
  }

  /** @throws RequestError `badRequest` */
  #partsOf(manifest: ModelManifest, tensors: readonly Tensor[]) {
    try {
      fitRequest(manifest, tensors)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      throw new RequestError('badRequest', error.message, error.facts)
    }
    const each = batchOf(manifest)
    const size = sizeOfBatch(tensors)
    if (each === undefined || size === each)
      return { tensors: [tensors], join: ([outputs]: readonly (readonly Tensor[])[]) => outputs! }
    if (size === undefined || size < 1 || size > this.limits.batch)
      throw new RequestError(
        'badRequest',
        `inference request batch-size must be from 1 to ${this.limits.batch} and the same for all inputs of "${manifest.name}", got ${tensors.map(({ dims }) => dims[0]).join(' and ')}`
      )
    return {
      tensors: splitBatch(tensors, size, each),
      join: (parts: readonly (readonly Tensor[])[]) => joined(parts, size, each)
    }
  }

  /** @throws RequestError `queueFull`, `badRequest` */
  #ask(
    { asker, model, weight = 1, trace }: ComputeRequest,
    parts: readonly (readonly Tensor[])[]
  ): readonly RequestPart[] {
    if (this.#pending >= this.limits.requests)
      throw new RequestError('queueFull', `${this.#pending} requests wait here already`, {
        limit: this.limits.requests
      })
    if ('name' in asker && !NAME_PATTERN.test(asker.name))
      throw new RequestError(
        'badRequest',
        `the source "${asker.name.slice(0, 80)}" is no name: letters, digits, dots, dashes`
      )
    const seat = this.#seats.take(asker, model, weight)
    if (seat === undefined)
      throw new RequestError('queueFull', `${this.limits.sources} sources ask here already`, {
        limit: this.limits.sources
      })
    if (seat.requests >= this.limits.requestsEach)
      throw new RequestError(
        'queueFull',
        `exceeds maximum queue size: ${seat.requests} requests of this source wait already`,
        {
          limit: this.limits.requestsEach
        }
      )
    return seat.ask(parts, trace)
  }

  async #outcomes(
    parts: readonly RequestPart[],
    { timeout = seconds(Number.POSITIVE_INFINITY), signal }: ComputeRequest
  ): Promise<readonly Extract<PartOutcome, { kind: 'result' }>[]> {
    const letGo = (reason: 'cancelled' | 'deadline'): void => {
      for (const part of parts) part.letGo(reason)
    }
    const cancel = (): void => letGo('cancelled')
    signal?.addEventListener('abort', cancel, { once: true })
    const endTimeout = this.#expireAfter(timeout, parts)
    try {
      return await Promise.all(parts.map(async part => resultOf(await part.outcome)))
    } catch (error) {
      letGo('cancelled')
      throw error
    } finally {
      signal?.removeEventListener('abort', cancel)
      endTimeout?.()
    }
  }

  /** @returns to be called when they have their outcomes; undefined where they have time */
  #expireAfter(timeout: Seconds, parts: readonly RequestPart[]): (() => void) | undefined {
    if (timeout === Number.POSITIVE_INFINITY) return undefined
    const over = new AbortController()
    const expire = (): void => {
      for (const part of parts) part.expire()
    }
    this.#parts.clock.sleep(timeout, { signal: over.signal }).then(expire, () => {})
    return () => over.abort(OVER)
  }
}

/** One for all: an error of its own, with its stack, is what an end costs most. */
const OVER = new Error('it has its outcome')

const joined = (parts: readonly (readonly Tensor[])[], size: number, each: number): readonly Tensor[] => {
  try {
    return joinBatch(parts, size, each)
  } catch (error) {
    throw new RequestError('failed', (error as Error).message)
  }
}

const DROPPED = {
  deadline: ['deadline', 'it was not begun within its timeout'],
  cancelled: ['cancelled', 'nobody waits for it any more'],
  stopped: ['stopped', 'its model or this device has gone'],
  queueFull: ['queueFull', 'too many requests wait']
} as const

/** @throws RequestError */
const resultOf = (outcome: PartOutcome): Extract<PartOutcome, { kind: 'result' }> => {
  if (outcome.kind === 'result') return outcome
  if (outcome.kind === 'dropped') {
    const [problem, words] = DROPPED[outcome.reason]
    throw new RequestError(problem, words)
  }
  throw new RequestError('failed', outcome.cause)
}
