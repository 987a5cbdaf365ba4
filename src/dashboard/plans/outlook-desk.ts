import type { Clock } from '../../core/clock.ts'
import { Serial } from '../../core/serial.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Outlook } from '../../planner/outlook.ts'
import type { OutlookChange } from '../../planner/outlook-change.ts'
import type { PlanDesk, Stand } from '../../runtime/device/plan-desk.ts'
import { ServingError } from '../../serving/serving-error.ts'

export interface OutlookDeskParts {
  readonly clock: Clock
  readonly plans: Pick<PlanDesk, 'foresee' | 'stand'>
}

/** @param now of the same shape */
const hasDrifted = (then: Stand, now: Stand): boolean =>
  now.measures.some((measure, i) => Math.abs(Math.log(measure / (then.measures[i] ?? measure))) > Math.log(1 + DRIFT))

/** What is kept of the cluster as it is. */
export interface KeptOutlook {
  readonly outlook: Outlook | null
  readonly because: string
  /** Seconds since it was computed; while there is none, since it was begun. */
  readonly age: number
}

/** However little has changed, it is computed anew after so long for whoever looks; and never sooner than that. */
const STALE: Seconds = seconds(60)
const LEAST: Seconds = seconds(10)
/** Where a speed or a rate is off by more than a fifth, after so long. */
const DRIFT = 0.2
const DRIFTED: Seconds = seconds(20)

/**
 * One outlook at a time, each in a process that gives way to all others. That of the cluster as it is is kept for all who
 * look; while nobody does, none is computed.
 */
export class OutlookDesk {
  readonly #parts: OutlookDeskParts
  readonly #serial = new Serial()
  #kept: { outlook: Outlook | null; because: string; stand: Stand; at: Seconds } | undefined
  #isComputing = false
  #begun: Seconds | undefined
  #previews = 0

  constructor(parts: OutlookDeskParts) {
    this.#parts = parts
  }

  /** What is known now; a newer one is on its way where there is reason. */
  kept(): KeptOutlook {
    const { clock, plans } = this.#parts
    const stand = plans.stand()
    const kept = this.#kept
    const age = kept === undefined ? Number.POSITIVE_INFINITY : clock.now() - kept.at
    const isOther = kept?.stand.shape !== stand.shape
    if (age > STALE || (isOther && age > LEAST) || (age > DRIFTED && hasDrifted(kept!.stand, stand)))
      this.#compute(stand)
    if (kept === undefined)
      return { outlook: null, because: 'it is being computed', age: clock.now() - (this.#begun ?? clock.now()) }
    return {
      outlook: kept.outlook,
      because: kept.because !== '' ? kept.because : isOther ? 'the cluster has changed' : '',
      age
    }
  }

  /** @throws ServingError `queueFull` while somebody else's is computed, `failed` where it cannot be */
  async preview(change: OutlookChange): Promise<Outlook> {
    if (this.#previews > 0)
      throw new ServingError('queueFull', 'another preview is being computed: ask again in a moment')
    this.#previews++
    try {
      return await this.#serial.run(() => this.#parts.plans.foresee(change))
    } catch (error) {
      throw new ServingError('failed', error instanceof Error ? error.message : String(error))
    } finally {
      this.#previews--
    }
  }

  #compute(stand: Stand): void {
    if (this.#isComputing) return
    this.#isComputing = true
    const { clock, plans } = this.#parts
    this.#begun = clock.now()
    const keep = (outlook: Outlook | null, because: string): void => {
      this.#isComputing = false
      const last = this.#kept
      this.#kept =
        outlook === null && last?.outlook ? { ...last, because, stand } : { outlook, because, stand, at: clock.now() }
    }
    this.#serial
      .run(() => plans.foresee())
      .then(
        outlook => keep(outlook, ''),
        error => keep(null, error instanceof Error ? error.message : String(error))
      )
  }
}
