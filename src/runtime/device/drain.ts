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
export const HANDOVER_PATIENCE: Seconds = seconds(30)
/** They may yet. */
const LATE = `others have not taken over within ${HANDOVER_PATIENCE} s`
const LOOK: Seconds = seconds(0.1)

/**
 * A device that is to go without anybody waiting: it says that it leaves and goes on meanwhile, the others load what it carries,
 * then it stops.
 */
export class Drain {
  readonly #parts: DrainParts
  #isLeaving = false
  #handover: Promise<string> | undefined
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

  /** Once, whoever asks again. @param asker for the log @returns '' when others have taken over, else why not; it stops a moment later */
  begin(asker: string, signal: AbortSignal): Promise<string> {
    this.#handover ??= this.#handOver(asker, signal)
    return this.#handover
  }

  async #handOver(asker: string, signal: AbortSignal): Promise<string> {
    const { clock, changed, say, stop } = this.#parts
    this.#isLeaving = true
    say(`${asker} drains this device: others take over what it carries, then it stops`)
    changed()
    const until = clock.now() + HANDOVER_PATIENCE
    while (this.#whyNot() === LATE && clock.now() < until) await clock.sleep(LOOK, { signal })
    const because = this.#whyNot()
    this.#isDone = because === ''
    if (because !== '') say(`${because}; it stops all the same`)
    // Whoever asked hears of it first.
    void clock.sleep(LOOK, { signal }).then(stop, () => {})
    return because
  }

  /** '' where there is a placement without it, with all that it carries, and everybody has loaded what that asks. */
  #whyNot(): string {
    const { view, placement } = this.#parts
    const others = view.planned().filter(({ device }) => device !== view.self)
    const current = placement()
    if (view.manifests().length === 0) return ''
    if (others.length === 0) return 'no other device is there to take over'
    const ready = others.map(({ device, readyEpoch }) => ({ id: deviceId(device), readyEpoch: Number(readyEpoch) }))
    if (current === undefined || current.placement.has(view.self) || !areReady(ready, current)) return LATE
    const homeless = current.unplaced.find(({ model, block }) => view.isOffered(model, block))
    if (homeless === undefined) return ''
    return `nobody else has room for block ${homeless.block} of ${view.labelOf(homeless.model)}: ${homeless.because}`
  }
}
