import type { Clock } from '../../core/clock.ts'
import { Serial } from '../../core/serial.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Outlook } from '../../planner/outlook.ts'
import type { OutlookChange } from '../../planner/outlook-change.ts'
import type { PlanDesk } from '../../runtime/device/plan-desk.ts'
import { ServingError } from '../../serving/serving-error.ts'

export interface OutlookDeskParts {
  readonly clock: Clock
  readonly plans: Pick<PlanDesk, 'foresee' | 'stand'>
}

/** What is kept of the cluster as it is. */
export interface KeptOutlook {
  readonly outlook: Outlook | null
  readonly because: string
  /** Seconds since it was computed. */
  readonly age: number
}

/** Measures drift: after so long it is computed anew for whoever looks, and not more often than that in any case. */
const STALE: Seconds = seconds(60)
const LEAST: Seconds = seconds(10)

/**
 * One outlook at a time, each in a process that gives way to all others. That of the cluster as it is is kept for all who
 * look; while nobody does, none is computed.
 */
export class OutlookDesk {
  readonly #parts: OutlookDeskParts
  readonly #serial = new Serial()
  #kept: { outlook: Outlook | null; because: string; stand: string; at: Seconds } | undefined
  #isComputing = false
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
    if (age > STALE || (kept?.stand !== stand && age > LEAST)) this.#compute(stand)
    if (kept === undefined) return { outlook: null, because: 'it is being computed', age: 0 }
    const isOld = kept.stand !== stand
    return {
      outlook: kept.outlook,
      because: kept.because !== '' ? kept.because : isOld ? 'the cluster has changed since; it is computed anew' : '',
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

  #compute(stand: string): void {
    if (this.#isComputing) return
    this.#isComputing = true
    const { clock, plans } = this.#parts
    const keep = (outlook: Outlook | null, because: string): void => {
      this.#isComputing = false
      this.#kept = { outlook, because, stand, at: clock.now() }
    }
    this.#serial
      .run(() => plans.foresee())
      .then(
        outlook => keep(outlook, ''),
        error => keep(null, error instanceof Error ? error.message : String(error))
      )
  }
}
