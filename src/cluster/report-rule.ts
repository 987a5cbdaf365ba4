import { type Seconds, seconds } from '../core/units.ts'
import type { Policy, Report } from '../scheduler/policy.ts'
import type { WindowStretch } from './window-stretch.ts'

/** Reports without news go out so often while something happens, and where nothing does; of many devices each in so many intervals. */
const QUIET = { least: 0.5, intervals: 5 } as const
const IDLE_QUIET = { least: 10, intervals: 100 } as const

/**
 * What a device's policy tells the others, and when: the rule of running and of simulated devices. It is asked once in every
 * `interval`; where there is no news, the others are told now and then.
 */
export class ReportRule {
  readonly #policy: Policy
  readonly #stretch: WindowStretch
  #text = ''
  #toldAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  constructor(policy: Policy, stretch: WindowStretch) {
    this.#policy = policy
    this.#stretch = stretch
  }

  /** Until it is to be asked again, as many devices as there are now. */
  get interval(): Seconds {
    return this.#policy.reportInterval()
  }

  /**
   * Commitments add up until they are told; that a backlog is as long as it was is news to whoever thinks that it has drained.
   * @param isRestless something happens on this device
   * @returns what is to be told now; undefined where the others know it
   */
  next(now: Seconds, isRestless: boolean): Report | undefined {
    const flow = this.#stretch.told()
    const report: Report = { ...this.#policy.report(now), ...(flow === undefined ? {} : { flow }) }
    const text = JSON.stringify(report)
    const isNews = text !== this.#text || report.commitments.length > 0 || report.backlog > 0
    // Half an interval early is due: it is not asked again before a whole one.
    const { least, intervals } = isRestless ? QUIET : IDLE_QUIET
    const rest = Math.max(least, intervals * this.interval) - this.interval / 2
    if (!isNews && now - this.#toldAt < rest) return undefined
    this.#text = text
    this.#toldAt = now
    return report
  }
}
