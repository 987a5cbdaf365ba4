import type { CancelSignal } from '../core/cancel-signal.ts'
import type { Clock } from '../core/clock.ts'
import type { ModelManifest } from '../core/manifest.ts'
import { parseTraceparent, type TraceParent } from '../core/parse-traceparent.ts'
import type { Tensor } from '../core/tensor.ts'
import { elementCount } from '../core/tensor.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Asker } from '../runtime/device/requests/asker.ts'
import type { RequestDesk } from '../runtime/device/requests/request-desk.ts'
import type { DataTracer } from '../runtime/ports/data-tracer.ts'
import { checkStrings } from './check-strings.ts'
import { ELEMENT_OF, isDatatype } from './datatypes.ts'
import { configOf, metadataOf, VERSION } from './model-facts.ts'
import type { ModelRepository } from './model-repository.ts'
import { ModelStatistics } from './model-statistics.ts'
import { type Parameters, sourceNameOf, timeoutOf, weightOf } from './parameters.ts'
import { asServingError, ServingError } from './serving-error.ts'
import { widenBf16 } from './widen-bf16.ts'

/** A tensor as it came: the bytes of its elements, little endian. */
export interface InferInput {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
  readonly data: Uint8Array<ArrayBuffer>
}

/** What a client asks, by whichever transport. */
export interface InferCall {
  readonly model: string
  readonly version: string
  readonly parameters: Parameters
  readonly inputs: readonly InferInput[]
  /** Names; undefined: all. */
  readonly outputs: readonly string[] | undefined
  /** Of the client's connection: it is a source unless it names one. */
  readonly connection: object
  /** Since when its body is there: what it takes counts from here. */
  readonly since: Seconds
  /** Since when it is known of: its timeout counts from here. @default since */
  readonly arrived?: Seconds
  readonly signal: CancelSignal | undefined
  /** `traceparent`, as it came. */
  readonly trace?: string | undefined
}

export interface InferAnswer {
  readonly version: string
  /** In the order in which they were asked for. */
  readonly outputs: readonly Tensor[]
  /** Its inputs may still be read. */
  readonly readsOn: boolean
  /** It is written: what that took counts. */
  written(): void
}

export interface InferenceServiceParts {
  readonly name: string
  readonly version: string
  readonly desk: RequestDesk
  readonly repository: ModelRepository
  readonly clock: Clock
  readonly wallTime: () => Seconds
  /** Told of what is not answered and followed by whoever asked. @default nobody follows */
  readonly tracer?: Pick<DataTracer, 'refused'> | undefined
  /** Whether the device has started: models are not known before. */
  readonly hasStarted: () => boolean
}

/** What is told of the protocol's extensions. */
const EXTENSIONS = [
  ...['binary_tensor_data', 'model_configuration', 'model_repository', 'parameters'],
  ...['schedule_policy', 'statistics']
]

/** The Open Inference Protocol, whatever brings its calls: what there is, and answers. */
export class InferenceService {
  readonly repository: ModelRepository
  readonly statistics: ModelStatistics
  readonly #parts: InferenceServiceParts

  constructor(parts: InferenceServiceParts) {
    this.#parts = parts
    this.repository = parts.repository
    this.statistics = new ModelStatistics(parts.wallTime)
  }

  server() {
    const { name, version } = this.#parts
    return { name, version, extensions: EXTENSIONS }
  }

  now(): Seconds {
    return this.#parts.clock.now()
  }

  /** Whether all models that there are can be computed. */
  isReady(): boolean {
    if (!this.#parts.hasStarted()) return false
    return this.repository.index().every(({ state }) => state !== 'LOADING')
  }

  /** @throws ServingError where there is no such model, or not yet */
  isModelReady(model: string, version: string): boolean {
    return this.#parts.desk.lackOf(this.manifest(model, version)) === undefined
  }

  metadata(model: string, version: string) {
    return metadataOf(model, this.manifest(model, version))
  }

  config(model: string, version: string) {
    const manifest = this.manifest(model, version)
    return configOf(model, manifest, manifest.mostData ?? this.#parts.desk.limits.batch)
  }

  /** @param model empty: of all that there are */
  statisticsOf(model: string, version: string) {
    const names = model === '' ? this.repository.names() : [model]
    if (model !== '') this.manifest(model, version)
    return names.map(name => ({ name, version: VERSION, ...this.statistics.of(name) }))
  }

  /** @throws ServingError */
  manifest(model: string, version: string): ModelManifest {
    try {
      const manifest = this.#parts.desk.model(model)
      if (version === '' || version === VERSION) return manifest
    } catch (error) {
      if (this.repository.isComing(model))
        throw new ServingError('notReady', `model '${model}' is not ready: this node is being started`)
      throw new ServingError('noSuchModel', `Request for unknown model: '${model}' is not found${this.#there()}`, {
        cause: error
      })
    }
    throw new ServingError(
      'noSuchModel',
      `Request for unknown model: '${model}' version ${version} is not found; there is version ${VERSION}`
    )
  }

  /** @throws ServingError */
  async infer(call: InferCall): Promise<InferAnswer> {
    const { tracer } = this.#parts
    const parent = parseTraceparent(call.trace)
    try {
      return await this.#answer(call, parent)
    } catch (error) {
      const { model, since } = call
      const { problem: code, message: because } = asServingError(error)
      if (parent !== undefined) tracer?.refused({ model, since, parent, code, because })
      throw error
    }
  }

  async #answer(call: InferCall, trace: TraceParent | undefined): Promise<InferAnswer> {
    const { clock } = this.#parts
    const manifest = this.manifest(call.model, call.version)
    try {
      return await this.#infer(call, manifest, trace)
    } catch (error) {
      this.statistics.failed(call.model, clock.now() - call.since)
      throw asServingError(error)
    }
  }

  async #infer(call: InferCall, manifest: ModelManifest, trace: TraceParent | undefined): Promise<InferAnswer> {
    const { clock, desk } = this.#parts
    const { model, parameters, signal, since, arrived = since } = call
    const wanted = wantedOutputs(call, manifest)
    const tensors = call.inputs.map(input => toTensor(input, manifest))
    const batch = batchSize(tensors, manifest)
    const { mostData: most } = manifest
    if (most !== undefined && batch > most)
      throw new ServingError(
        'badRequest',
        `inference request batch-size must be <= ${most} for '${model}', got ${batch}`
      )
    const begun = clock.now()
    const asker = askerOf(call)
    const timeout = timeLeft(timeoutOf(parameters), seconds(begun - arrived))
    const computed = await desk.compute({ model, tensors, asker, weight: weightOf(parameters), timeout, signal, trace })
    const { took, served, runs, outputs, wasResent } = computed
    const done = clock.now()
    const input = seconds(begun - since)
    return {
      version: VERSION,
      readsOn: wasResent,
      outputs: wanted.map(name => outputNamed(outputs, name)),
      written: () =>
        this.statistics.answered(model, { batch, runs, took, served, input, output: seconds(clock.now() - done) })
    }
  }

  #there(): string {
    const names = this.repository.names()
    return names.length === 0 ? '; there is none' : `; there are ${names.slice(0, 20).join(', ')}`
  }
}

/** What reading it took counts. @throws ServingError where that was all */
const timeLeft = (timeout: Seconds | undefined, taken: Seconds): Seconds | undefined => {
  if (timeout === undefined) return undefined
  if (taken >= timeout) throw new ServingError('deadline', 'it was not begun within its timeout')
  return seconds(timeout - taken)
}

const askerOf = ({ parameters, connection }: InferCall): Asker => {
  const name = sourceNameOf(parameters)
  return name === undefined ? { connection } : { name }
}

/** Data in it, where its model takes batches. */
const batchSize = ([first]: readonly Tensor[], { inputs }: ModelManifest): number => {
  const spec = inputs.find(({ name }) => name === first?.name)
  const isDynamic = spec !== undefined && spec.shape.length > 0 && typeof spec.shape[0] !== 'number'
  return isDynamic ? (first?.dims[0] ?? 1) : 1
}

const wantedOutputs = ({ outputs, model }: InferCall, manifest: ModelManifest): readonly string[] => {
  const stranger = outputs?.find(name => !manifest.outputs.includes(name))
  if (stranger !== undefined)
    throw new ServingError(
      'badRequest',
      `unexpected inference output '${stranger}' for model '${model}'; it has ${manifest.outputs.join(', ')}`
    )
  return outputs === undefined || outputs.length === 0 ? manifest.outputs : outputs
}

const outputNamed = (outputs: readonly Tensor[], name: string): Tensor => {
  const found = outputs.find(tensor => tensor.name === name)
  if (found !== undefined) return found
  throw new ServingError('failed', `the model gave no output "${name}"`)
}

/** @throws ServingError for a type that there is not, or bytes that are not as many as they should be */
const toTensor = ({ name, datatype, shape, data }: InferInput, { inputs }: ModelManifest): Tensor => {
  if (datatype === 'BF16') return widened({ name, datatype, shape, data })
  if (!isDatatype(datatype))
    throw new ServingError(
      'badRequest',
      `input '${name}' has the datatype '${datatype}'; there are ${Object.keys(ELEMENT_OF).join(', ')}, BF16`
    )
  const type = ELEMENT_OF[datatype]
  const wanted = inputs.find(input => input.name === name)
  if (wanted !== undefined && wanted.type !== type)
    throw new ServingError(
      'badRequest',
      `unexpected datatype ${datatype} for input '${name}'; the model takes ${datatypeName(wanted.type)}`
    )
  if (type === 'string') checkStrings(name, shape, data)
  return { name, type, dims: shape, data }
}

const datatypeName = (type: Tensor['type']): string =>
  Object.entries(ELEMENT_OF).find(([, element]) => element === type)![0]

const widened = ({ name, shape, data }: InferInput): Tensor => {
  if (data.byteLength !== 2 * elementCount(shape))
    throw new ServingError(
      'badRequest',
      `input '${name}' has ${data.byteLength} bytes of BF16; its shape [${shape.join(',')}] needs ${2 * elementCount(shape)}`
    )
  return { name, type: 'float32', dims: shape, data: widenBf16(data) }
}
