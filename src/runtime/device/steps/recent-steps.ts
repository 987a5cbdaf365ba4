import type { DatumStep } from '../../ports/datum-step.ts'
import type { DeviceObserver } from '../../ports/device-observer.ts'
import { stepsObserver } from '../../ports/steps-observer.ts'

/** Of the cluster's data, those that are wanted; absent: all. */
export interface WantedSteps {
  /** Steps after this number. @default 0: as far back as is remembered */
  readonly after?: number
  /** The latest so many. @default all */
  readonly most?: number
  /** The id of a source, or its name on whichever device, or NAME@DEVICE. */
  readonly source?: string
  readonly datum?: number
  /** Those whose numbers it divides, so that of each datum all steps are told or none. @default 1 */
  readonly every?: number
}

/** More than this are not remembered: half a megabyte. */
export const REMEMBERED = 4096

/** The last steps of one device. Remembering one takes a fraction of a microsecond, so it always does. */
export class RecentSteps {
  readonly observer: DeviceObserver = stepsObserver(step => this.#note(step))
  readonly #ring: DatumStep[] = []
  #made = 0

  /** So far. */
  get made(): number {
    return this.#made
  }

  /** @returns in the order in which they ended; `missed`: not told though nothing but their age or number is against them */
  after({ after = 0, most = REMEMBERED, ...which }: WantedSteps): {
    readonly steps: readonly DatumStep[]
    readonly missed: number
  } {
    const first = Math.max(after, this.#made - REMEMBERED)
    const wanted: DatumStep[] = []
    for (let number = first; number < this.#made; number++) {
      const step = this.#ring[number % REMEMBERED]!
      if (isWanted(step, which)) wanted.push(step)
    }
    const steps = most > 0 ? wanted.slice(-most) : []
    return { steps, missed: Math.max(0, first - after) + wanted.length - steps.length }
  }

  #note(step: DatumStep): void {
    this.#ring[this.#made++ % REMEMBERED] = step
  }
}

const isWanted = (step: DatumStep, { source, datum, every = 1 }: WantedSteps): boolean =>
  (source === undefined || isOf(step.source, source)) &&
  (datum === undefined || step.datum === datum) &&
  step.datum % every === 0

/** An id is NAME@DEVICE, or NAME@DEVICE#LIFE. */
const isOf = (id: string, source: string): boolean =>
  id.startsWith(source) && (id.length === source.length || id[source.length] === '@' || id[source.length] === '#')
