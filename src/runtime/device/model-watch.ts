import type { Clock } from '../../core/clock.ts'
import type { ModelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import { describeClash } from './describe-clash.ts'
import type { LogLevel } from './log-level.ts'
import type { OwnedModel } from './owned-model.ts'
import type { NewlyOwned, OwnedModels } from './owned-models.ts'

export interface ModelWatchParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly owned: OwnedModels
  /** A model that nobody owns and no source uses leaves the cluster after so long. @default 1 h */
  readonly keepModels?: Seconds | undefined
  /** What this device owns has changed: tell the others. */
  readonly changed: () => void
  /** Models have left: what is kept of them here is to go. */
  readonly gone: () => void
  /** Nothing of a model that has left is here any more: no block, and no datum. */
  readonly isLeft: (model: ModelId) => boolean
  /** Forget tasks. */
  readonly cancel: (belongs: (task: DeviceTask) => boolean) => void
  readonly say: (text: string, level?: LogLevel) => void
}

/** No block runs longer than that after its model has left. */
const AFTERMATH: Seconds = seconds(60)
const KEEP_MODELS: Seconds = seconds(3600)

/** Models come to be owned here, and leave the cluster; what waits for one that has left is forgotten. */
export class ModelWatch {
  readonly #parts: ModelWatchParts
  #leftAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  #clashes: readonly string[] = []

  constructor(parts: ModelWatchParts) {
    this.#parts = parts
  }

  /** Those of the start. @returns whether there are any @throws UserError */
  async prepare(): Promise<boolean> {
    const owned = await this.#parts.owned.prepare()
    this.#announce(owned)
    return owned.length > 0
  }

  async add(model: OwnedModel, mayOwn?: (manifest: ModelManifest) => void): Promise<void> {
    const { owned, changed } = this.#parts
    const newly = await owned.add(model, mayOwn)
    if (newly === undefined) return
    this.#announce([newly])
    changed()
  }

  /** Another file in a name's place, or the same cut otherwise. @returns whether that is another model @throws UserError */
  async update(model: OwnedModel): Promise<boolean> {
    const { owned, changed, say, view } = this.#parts
    const { manifest, before } = await owned.update(model)
    if (manifest.id === before) return false
    view.addManifest(manifest)
    changed()
    if (owned.owned(before) === undefined) this.dismiss(before)
    say(`model ${model.name}: ${manifest.blocks.length} blocks, in place of ${before.slice(0, 8)}`)
    return true
  }

  async remove(name: string): Promise<boolean> {
    const { owned, changed } = this.#parts
    const model = await owned.remove(name)
    if (model === false) return false
    changed()
    if (model !== undefined && owned.owned(model) === undefined) this.dismiss(model)
    return true
  }

  /** It leaves the cluster, unless another device owns it. */
  dismiss(model: ModelId): void {
    const { clock, view } = this.#parts
    view.dismiss(model, clock.now())
    this.tick()
  }

  /** Of models that have left, what waits here is forgotten, and their blocks go. */
  tick(): void {
    const { clock, keepModels = KEEP_MODELS, owned, say, changed, cancel, gone, view, isLeft } = this.#parts
    const { models } = view
    const now = clock.now()
    view.forget(now, keepModels)
    view.forgetDeparted(now, isLeft)
    const left = models.takeLeft()
    for (const { id } of left) say(`model ${models.nameOf(id)} (${id.slice(0, 8)}) has left the cluster`)
    if (left.length > 0) {
      this.#leftAt = now
      gone()
    }
    // A block may still have run for one when it left: what comes of that goes too.
    if (now - this.#leftAt < AFTERMATH) cancel(task => models.isGone(task.modelId))
    if (owned.tick() || left.length > 0) changed()
    const clashes = models.clashes().map(claims => describeClash(claims, device => view.nameOf(device)))
    for (const text of clashes) if (!this.#clashes.includes(text)) say(text, 'warn')
    this.#clashes = clashes
  }

  /** Models that this device owns from now on. */
  #announce(owned: readonly NewlyOwned[]): void {
    const { clock, owned: names, say, view } = this.#parts
    for (const { manifest } of owned) {
      view.addManifest(manifest)
      say(`model ${names.owned(manifest.id)?.name}: ${manifest.blocks.length} blocks`)
    }
    for (const { replaced } of owned) if (replaced !== undefined) view.dismiss(replaced, clock.now())
  }
}
