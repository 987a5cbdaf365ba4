import { create } from '@bufbuild/protobuf'
import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import type { Clock } from '../../core/clock.ts'
import type { DeviceId, ModelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { RequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../ports/network.ts'
import type { Signer } from '../ports/signer.ts'
import type { ClusterView } from './cluster-view.ts'
import { fromWire } from './manifest-codec.ts'
import { requireSeal } from './manifest-seal.ts'

export interface ManifestFinderParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly network: Pick<Network, 'request'>
  readonly view: ClusterView
  readonly budgets: PeerBudgets
  readonly signer: Signer
  readonly found: () => void
}

/** After a device that did not give it another is asked, each time twice as long after the one before. */
const FIRST_PAUSE: Seconds = seconds(0.1)
const LONGEST_PAUSE: Seconds = seconds(5)

/** A model that is beyond what its owner may bring. */
const OVER_BUDGET_PAUSE: Seconds = seconds(60)
/** Models, at once. */
const MOST_ASKED = 16

class OverBudgetError extends Error {}

const JOB = 'finding the models that others speak of'

interface Failed {
  readonly times: number
  readonly notBefore: Seconds
}

/** Asks for the manifests of models that others speak of; from one device at a time, from another when it fails. */
export class ManifestFinder {
  readonly #parts: ManifestFinderParts
  readonly #asking = new Set<ModelId>()
  readonly #failed = new Map<ModelId, Failed>()

  constructor(parts: ManifestFinderParts) {
    this.#parts = parts
  }

  tick(): void {
    const unknown = this.#unknown()
    const names = new Set(unknown.map(({ model }) => model))
    for (const model of this.#failed.keys()) if (!names.has(model)) this.#failed.delete(model)
    if (unknown.length === 0) this.#parts.guard.succeeded(JOB)
    for (const { model, holders } of unknown) {
      const { times, notBefore } = this.#failed.get(model) ?? { times: 0, notBefore: this.#parts.clock.now() }
      if (this.#asking.size >= MOST_ASKED) return
      if (this.#asking.has(model) || this.#parts.clock.now() < notBefore) continue
      this.#asking.add(model)
      const holder = holders[times % holders.length]!
      const asked = this.#ask(model, holder).finally(() => this.#asking.delete(model))
      void this.#parts.guard.watch(JOB, asked)
    }
  }

  #unknown(): { readonly model: ModelId; readonly holders: readonly DeviceId[] }[] {
    const { view } = this.#parts
    const holders = new Map<ModelId, DeviceId[]>()
    for (const { model, device } of view.unknownModels()) {
      if (view.isUp(device)) holders.set(model, [...(holders.get(model) ?? []), device])
    }
    return [...holders].map(([model, devices]) => ({ model, holders: devices }))
  }

  /** On its owner's budget, where one is there; else on that of who gave it. Each block costs every device something from now on. */
  #pay({ id, blocks }: ModelManifest, holder: DeviceId): void {
    const { budgets, view } = this.#parts
    const payer = view.models.owners(id)[0] ?? holder
    const isPaid = budgets.takes(payer, 'modelBlocks', blocks.length) && budgets.takes(payer, 'models')
    if (!isPaid) throw new OverBudgetError(`its ${blocks.length} blocks are more than its owner may bring at present`)
  }

  async #ask(model: ModelId, holder: DeviceId): Promise<void> {
    const { clock, network, signer, view, found } = this.#parts
    try {
      const reply = await network.request(
        holder,
        create(RequestSchema, { body: { case: 'manifest', value: { model } } })
      )
      if (reply.body.case !== 'manifest') throw new Error(reply.error)
      const manifest = fromWire(reply.body.value)
      if (manifest.id !== model) throw new Error('another model came back')
      await requireSeal(manifest, signer)
      this.#pay(manifest, holder)
      view.addManifest(manifest)
    } catch (error) {
      const times = (this.#failed.get(model)?.times ?? 0) + 1
      const pause =
        error instanceof OverBudgetError ? OVER_BUDGET_PAUSE : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (times - 1))
      this.#failed.set(model, { times, notBefore: seconds(clock.now() + pause) })
      const because = error instanceof Error ? error.message : error
      throw new Error(`${view.nameOf(holder)} was asked in vain: ${because}`, { cause: error })
    }
    this.#failed.delete(model)
    found()
  }
}
