import type { Clock } from '../../core/clock.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import type { LocalBlocks } from '../cluster/local-blocks.ts'
import type { DeviceTask } from '../dispatch/device-task.ts'
import { RecentRate } from './recent-rate.ts'

export interface LaneChooserParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly blocks: LocalBlocks
  readonly dispatcher: Dispatcher<DeviceTask>
  /** For blocks, in all lanes together. */
  readonly memory: Bytes
  /** What this device can do has changed: the others are to hear of it. */
  readonly changed: () => void
}

const EVERY: Seconds = seconds(2)
/** How much is used is seen over this long, and so is how much is used of another split. */
const REST: Seconds = seconds(10)

/** Lets the device's engine choose its lanes for what there has been to do lately, where it is its own choice. */
export class LaneChooser {
  readonly #parts: LaneChooserParts
  #used = new RecentRate()
  #next: Seconds = seconds(0)
  #isChoosing = false

  constructor(parts: LaneChooserParts) {
    this.#parts = parts
  }

  /** Called often. */
  tick(): void {
    const { clock, guard, blocks, dispatcher } = this.#parts
    if (!blocks.adapts) return
    const now = clock.now()
    const used = Math.min(1, this.#used.at(now, dispatcher.laneCounters().busy))
    if (now < this.#next || this.#isChoosing) return
    this.#next = seconds(now + EVERY)
    this.#isChoosing = true
    const chosen = this.#choose(used).finally(() => {
      this.#isChoosing = false
    })
    void guard.watch('choosing lanes', chosen)
  }

  async #choose(used: number): Promise<void> {
    const { clock, view, blocks, memory, changed } = this.#parts
    const mostLanes = Math.max(1, Math.floor(memory / blocks.weight()))
    const changes = await blocks.adapt({ used, mostLanes })
    if (changes === undefined) return
    const { world, selfIndex } = view
    for (const { model, block, times } of changes) {
      const m = world.modelIndex(model)!
      world.setBlockTime(selfIndex, m, block, seconds(times * world.blockTime(selfIndex, m, block)))
    }
    world.setLanes(selfIndex, blocks.lanes)
    this.#used = new RecentRate()
    this.#next = seconds(clock.now() + REST)
    changed()
  }
}
