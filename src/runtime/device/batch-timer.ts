import type { JobGuard } from '../../core/job-guard.ts'
import type { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { LocalBlocks } from '../cluster/local-blocks.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'

export interface BatchTimerParts {
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly blocks: LocalBlocks
  readonly dispatcher: Dispatcher<DeviceTask>
  /** What this device can do has changed: the others are to hear of it. */
  readonly changed: () => void
}

/** Times batches of long blocks, one block at a time, while nothing waits or runs here: they serve already. */
export class BatchTimer {
  readonly #parts: BatchTimerParts
  #isTiming = false

  constructor(parts: BatchTimerParts) {
    this.#parts = parts
  }

  /** Called often. */
  tick(): void {
    const { guard, blocks } = this.#parts
    if (this.#isTiming || !blocks.isUntimed || !this.#isFree()) return
    this.#isTiming = true
    const timed = this.#time().finally(() => {
      this.#isTiming = false
    })
    void guard.watch('timing batches', timed)
  }

  #isFree(): boolean {
    return this.#parts.dispatcher.queued().lane === 0
  }

  async #time(): Promise<void> {
    const { view, blocks, changed } = this.#parts
    const found = await blocks.timeNext(() => this.#isFree())
    const model = found === undefined ? undefined : view.world.modelIndex(found.model)
    if (found === undefined || model === undefined) return
    view.world.setBatchCurve(view.selfIndex, model, found.block, found.curve)
    changed()
  }
}
