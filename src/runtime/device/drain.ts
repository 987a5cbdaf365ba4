import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { areReady } from '../../cluster/readiness.ts'
import type { Clock } from '../../core/clock.ts'
import { deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'

export interface DrainParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly placement: () => NumberedPlacement | undefined
  /** The others are to hear that it leaves. */
  readonly changed: () => void
  readonly say: (text: string) => void
  /** As if it had been told to stop by hand. */
  readonly stop: () => void
}

/** For others to plan without it and to load what it carried; who cannot go on without it is not kept waiting for ever. */
const PATIENCE: Seconds = seconds(30)
const LOOK: Seconds = seconds(0.1)

/**
 * A device that is to go without anybody waiting: it says that it leaves and goes on meanwhile, the others load what it carries,
 * then it stops.
 */
export class Drain {
  readonly #parts: DrainParts
  #isLeaving = false
  #isDone = false

  constructor(parts: DrainParts) {
    this.#parts = parts
  }

  /** What the others are told: nothing is to be placed on it any more. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** For the end of the log. */
  get outcome(): string {
    return this.#isDone
      ? 'drained: its blocks are with others; stopped'
      : 'stopped before others had taken over all of its blocks'
  }

  /** Resolves once it has been told to stop. @param asker for the log */
  async begin(asker: string, signal: AbortSignal): Promise<void> {
    const { clock, changed, say, stop } = this.#parts
    if (this.#isLeaving) return
    this.#isLeaving = true
    say(`${asker} drains this device: others take over what it carries, then it stops`)
    changed()
    const until = clock.now() + PATIENCE
    while (!this.#isReplaced() && clock.now() < until) await clock.sleep(LOOK, { signal })
    this.#isDone = this.#isReplaced()
    if (!this.#isDone) say(`others have not taken over within ${PATIENCE} s; it stops all the same`)
    stop()
  }

  /** There is a placement without it, and everybody has loaded what that asks. */
  #isReplaced(): boolean {
    const { view, placement } = this.#parts
    const others = view.planned().filter(({ device }) => device !== view.self)
    const current = placement()
    if (others.length === 0 || view.manifests().length === 0) return true
    const ready = others.map(({ device, readyEpoch }) => ({ id: deviceId(device), readyEpoch: Number(readyEpoch) }))
    return current !== undefined && !current.placement.has(view.self) && areReady(ready, current)
  }
}
