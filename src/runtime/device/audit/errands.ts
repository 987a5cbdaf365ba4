import type { Clock } from '../../../core/clock.ts'
import { type Deferred, deferred } from '../../../core/deferred.ts'
import type { DeviceId, ModelId } from '../../../core/ids.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import type { DeviceTask } from '../../dispatch/device-task.ts'
import { copied } from '../../dispatch/kept-activations.ts'
import { decodeTensor } from '../../dispatch/tensor-codec.ts'
import type { DatumRef, DatumTaker } from '../source-port.ts'

export interface ErrandsParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly submit: (task: DeviceTask) => void
  readonly cancel: (belongs: (task: DeviceTask) => boolean) => void
}

/** Blocks that a device, this one or a neighbour, is to compute, and on what. */
export interface Errand {
  readonly model: ModelId
  readonly device: DeviceId
  readonly from: number
  readonly until: number
  readonly weight: number
  readonly tensors: readonly Tensor[]
}

export interface Made {
  readonly done: number
  readonly tensors: readonly Tensor[]
}

interface Pending extends Deferred<Made | undefined> {
  readonly device: DeviceId
}

/** Whoever has not answered by then is not waited for. */
const PATIENCE: Seconds = seconds(30)

/** Names what devices do for the audits of a device. No source of a user is called so: those have an @. */
export const errandsOf = (device: DeviceId): string => `audit ${device}`

/** Blocks that others compute for this device: they go there and come back, as data do, and belong to no source. */
export class Errands implements DatumTaker {
  readonly id: string
  readonly #parts: ErrandsParts
  readonly #pending = new Map<number, Pending>()
  #sent = 0

  constructor(parts: ErrandsParts) {
    this.#parts = parts
    this.id = errandsOf(parts.view.self)
  }

  /** @returns undefined where that device does not do it */
  async run({ model, device, from, until, weight, tensors }: Errand): Promise<Made | undefined> {
    const { view, clock, submit, cancel } = this.#parts
    const datum = this.#sent++
    const pending: Pending = { ...deferred<Made | undefined>(), device }
    this.#pending.set(datum, pending)
    const to = view.world.deviceIndex(device)!
    const now = clock.now()
    submit({
      ...{ source: this.id, datum, attempt: 1, modelId: model, model: view.world.modelIndex(model)! },
      ...{ home: view.selfIndex, homeId: view.self, weight, isBacklogged: false, lag: seconds(0), served: seconds(0) },
      ...{ availableAt: now, arrivedAt: now, turn: 0, done: from, until, refusals: 0, tensors: tensors.map(copied) },
      route: to === view.selfIndex ? [{ device: to, until }] : [to, view.selfIndex].map(n => ({ device: n, until }))
    })
    const over = new AbortController()
    const late = clock.sleep(PATIENCE, { signal: over.signal }).then(
      () => undefined,
      () => undefined
    )
    try {
      return await Promise.race([pending.promise, late])
    } finally {
      over.abort()
      this.#pending.delete(datum)
      cancel(task => task.source === this.id && task.datum === datum)
    }
  }

  /** It is back. Whoever else computed it than was asked proves nothing. */
  delivered({ datum, done, tensors, madeBy }: DeviceTask): void {
    const pending = this.#pending.get(datum)
    if (pending === undefined) return
    try {
      pending.resolve(madeBy === pending.device ? { done, tensors: tensors.map(decodeTensor) } : undefined)
    } catch {
      pending.resolve(undefined) // it cannot be read
    }
  }

  custody(): void {}

  lost({ datum }: DatumRef): void {
    this.#pending.get(datum)?.resolve(undefined)
  }

  failed({ datum }: DatumRef): void {
    this.#pending.get(datum)?.resolve(undefined)
  }
}
