import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import type { DeviceId, ModelId } from '../../core/ids.ts'
import { modelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { Seconds } from '../../core/units.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { Signer } from '../ports/signer.ts'
import type { ClusterView } from './cluster-view.ts'

export interface ModelFarewellsParts {
  readonly now: () => Seconds
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly signer: Signer
  readonly budgets: PeerBudgets
  /** A model has left, or others are to hear that one has. */
  readonly changed: () => void
}

export type Farewell = Pick<DeviceState['farewells'][number], 'model' | 'signature'>

/** Of one state. */
const MOST = 64

/** What an owner signs when it takes a model out. */
const farewellText = (model: ModelId): Uint8Array => new TextEncoder().encode(`tributary model has left 1\n${model}`)

/**
 * That a model has left, signed by who sealed its manifest. So it travels as the manifest does: whoever was away hears it from any
 * device, also once the owner has gone.
 */
export class ModelFarewells {
  readonly #parts: ModelFarewellsParts
  readonly #signatures = new Map<ModelId, Uint8Array>()
  readonly #asked = new Set<ModelId>()

  constructor(parts: ModelFarewellsParts) {
    this.#parts = parts
  }

  /** For the others: of the models that have left of late. */
  told(): readonly Farewell[] {
    return this.#parts.view.models.gone(this.#parts.now()).flatMap(model => {
      const signature = this.#signatures.get(model)
      return signature === undefined ? [] : [{ model, signature }]
    })
  }

  /** Called often. */
  tick(): void {
    const { view, guard } = this.#parts
    for (const id of this.#signatures.keys()) if (!view.models.isGone(id)) this.#signatures.delete(id)
    for (const { id, seal } of view.models.departed())
      if (seal?.owner === view.self && !this.#signatures.has(id) && !this.#asked.has(id))
        void guard.watch('signing that a model has left', this.#sign(id))
  }

  async #sign(id: ModelId): Promise<void> {
    this.#asked.add(id)
    try {
      this.#signatures.set(id, await this.#parts.signer.sign(farewellText(id)))
      this.#parts.changed()
    } finally {
      this.#asked.delete(id)
    }
  }

  /** Another device says so; of what is known and not gone yet the signature is verified, others' word being nothing. */
  heard(from: DeviceId, { farewells }: DeviceState): void {
    const { view, guard } = this.#parts
    for (const { model, signature } of farewells.slice(0, MOST)) {
      const id = modelId(model)
      const owner = view.models.manifest(id)?.seal?.owner
      if (owner === undefined || this.#signatures.has(id) || this.#asked.has(id)) continue
      if (!this.#parts.budgets.takes(from, 'forgeries')) return
      void guard.watch('verifying that a model has left', this.#verify(from, id, owner, signature))
    }
  }

  async #verify(from: DeviceId, id: ModelId, owner: DeviceId, signature: Uint8Array): Promise<void> {
    const { signer, budgets, view, now, changed } = this.#parts
    this.#asked.add(id)
    try {
      if (!(await signer.isValid(owner, farewellText(id), signature))) return
      budgets.givesBack(from, 'forgeries')
      if (!view.renounced(id, now())) return
      this.#signatures.set(id, signature)
      changed()
    } finally {
      this.#asked.delete(id)
    }
  }
}
