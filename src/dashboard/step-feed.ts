import type { Clock } from '../core/clock.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { ClusterStep, ClusterSteps } from '../runtime/device/steps/cluster-steps.ts'
import type { StepWatch } from '../runtime/device/steps/step-watch.ts'

/** What all devices did lately, and how well that is known. */
export interface ToldSteps extends Omit<ClusterSteps, 'steps'> {
  /** Ask for those after this number next. */
  readonly next: number
  /** Of each source's data, those whose numbers this divides: with many a second not all are told. */
  readonly every: number
  readonly steps: readonly ClusterStep[]
}

export interface StepFeedParts {
  readonly watch: Pick<StepWatch, 'poll'>
  readonly clock: Clock
  /** Results per second of all sources together. */
  readonly rate: () => number
}

/** Devices are asked no more often than this, however many look. */
const INTERVAL: Seconds = seconds(0.9)
/** What is older is told no more. */
const SPAN: Seconds = seconds(32)
const MOST_KEPT = 12_000
/** Data a second that a person may follow; more cost without being seen. */
const FOLLOWED = 60

interface Numbered {
  readonly number: number
  /** When it was heard of. */
  readonly heard: Seconds
  readonly step: ClusterStep
}

/** Asks all devices what they did, once for all who look, and only when somebody asks. */
export class StepFeed {
  readonly #parts: StepFeedParts
  #kept: Numbered[] = []
  #made = 0
  #every = 1
  #polled: { readonly at: Seconds; readonly told: Promise<Omit<ClusterSteps, 'steps'>> } | undefined

  constructor(parts: StepFeedParts) {
    this.#parts = parts
  }

  /** Those that were heard of after a number, in that order. */
  async after(number: number): Promise<ToldSteps> {
    const { clock } = this.#parts
    if (this.#polled === undefined || clock.now() - this.#polled.at >= INTERVAL)
      this.#polled = { at: clock.now(), told: this.#poll() }
    const { now, devices } = await this.#polled.told
    const fresh = this.#kept.filter(kept => kept.number > number)
    return { now, devices, next: this.#made, every: this.#every, steps: fresh.map(({ step }) => step) }
  }

  async #poll(): Promise<Omit<ClusterSteps, 'steps'>> {
    const { watch, clock, rate } = this.#parts
    this.#every = Math.max(1, Math.ceil(rate() / FOLLOWED))
    const { steps, ...told } = await watch.poll({ every: this.#every })
    const heard = clock.now()
    for (const step of steps) this.#kept.push({ number: ++this.#made, heard, step })
    this.#kept = this.#kept.slice(-MOST_KEPT).filter(kept => heard - kept.heard <= SPAN)
    return told
  }
}
