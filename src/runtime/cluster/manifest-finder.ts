import { create } from '@bufbuild/protobuf'
import type { DeviceId, ModelId } from '../../core/ids.ts'
import { RequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../network/network.ts'
import type { ClusterView } from './cluster-view.ts'
import { fromWire } from './manifest-codec.ts'

export interface ManifestFinderParts {
  readonly network: Network
  readonly view: ClusterView
  readonly found: () => void
  readonly say: (text: string, level?: 'warn') => void
}

/** Asks for the manifests of models that others speak of; from one device at a time, again at the next tick if it fails. */
export class ManifestFinder {
  readonly #parts: ManifestFinderParts
  readonly #asking = new Set<ModelId>()
  readonly #failures = new Map<ModelId, number>()

  constructor(parts: ManifestFinderParts) {
    this.#parts = parts
  }

  tick(): void {
    for (const { model, holders } of this.#unknown()) {
      if (this.#asking.has(model)) continue
      const failures = this.#failures.get(model) ?? 0
      this.#asking.add(model)
      this.#ask(model, holders[failures % holders.length]!).finally(() => this.#asking.delete(model))
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

  async #ask(model: ModelId, holder: DeviceId): Promise<void> {
    const { network, view, found, say } = this.#parts
    try {
      const reply = await network.request(
        holder,
        create(RequestSchema, { body: { case: 'manifest', value: { model } } })
      )
      if (reply.body.case !== 'manifest') throw new Error(reply.error)
      const manifest = fromWire(reply.body.value)
      if (manifest.id !== model) throw new Error('another model came back')
      view.addManifest(manifest)
      found()
    } catch (error) {
      this.#failures.set(model, (this.#failures.get(model) ?? 0) + 1)
      say(`asking ${view.nameOf(holder)} for a model failed: ${error instanceof Error ? error.message : error}`, 'warn')
    }
  }
}
