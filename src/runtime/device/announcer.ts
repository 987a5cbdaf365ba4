import { ReportRule } from '../../cluster/report-rule.ts'
import type { WindowStretch } from '../../cluster/window-stretch.ts'
import type { Clock } from '../../core/clock.ts'
import type { DeviceId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Policy } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { reportToWire } from '../dispatch/report-codec.ts'
import type { DeviceState, Notice } from '../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../ports/network.ts'
import type { DeviceReporter } from './device-reporter.ts'
import { notice } from './notice.ts'

export interface AnnouncerParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly network: Network
  readonly view: ClusterView
  readonly policy: Policy
  readonly stretch: WindowStretch
  readonly reporter: DeviceReporter
  /** Whether there is somebody to tell. */
  readonly isOn: () => boolean
  /** Something has changed here: look at what waits. */
  readonly later: () => void
}

/** Tells the others: what this device's policy reports, what it carries and knows, and what it is told to tell. */
export class Announcer {
  readonly #parts: AnnouncerParts
  readonly #reports: ReportRule
  /** What changed soon after the last state is told with the next tick that may: blocks come and go in bursts. */
  #isUntold = false
  #toldAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  constructor(parts: AnnouncerParts) {
    this.#parts = parts
    this.#reports = new ReportRule(parts.policy, parts.stretch)
  }

  /** Until the next `report`. */
  get interval(): Seconds {
    return this.#reports.interval
  }

  /** To everybody what its policy reports, where there is news. Once in every interval. */
  report(): void {
    const { clock, reporter, view } = this.#parts
    const report = this.#reports.next(clock.now(), reporter.isRestless())
    if (report !== undefined) this.tellAll(notice('report', reportToWire(report, view.world)))
  }

  /** It has heard nothing of this device yet, and is told at once. */
  introduce(peer: DeviceId): void {
    this.#parts.reporter.stir()
    this.#parts.network.notify(
      peer,
      notice('report', reportToWire(this.#parts.policy.remark(), this.#parts.view.world))
    )
    this.#parts.network.notify(peer, notice('state', this.#parts.reporter.described()))
  }

  /** What this device is and carries, to one of those that are connected. */
  tell(peer: DeviceId): void {
    if (this.connected().includes(peer))
      this.#parts.network.notify(peer, notice('state', this.#parts.reporter.described()))
  }

  /** Devices, not those who only look on. */
  connected(): DeviceId[] {
    return [...this.#parts.network.peers()].flatMap(([peer, role]) => (role === 'observer' ? [] : [peer]))
  }

  tellAll(message: Notice): void {
    for (const peer of this.connected()) this.#parts.network.notify(peer, message)
  }

  /** What this device carries or knows has changed. */
  changed(): void {
    if (!this.#parts.isOn()) return
    this.#parts.reporter.stir()
    this.#parts.guard.run('telling its state', () => {
      const { clock, policy, reporter, view } = this.#parts
      if (clock.now() - this.#toldAt >= policy.reportInterval()) return this.publishState()
      this.#isUntold = true
      view.heard(view.self, reporter.stateNow(), clock.now())
    })
    this.#parts.later()
  }

  publishState(): void {
    const state = this.hearSelf()
    this.#isUntold = false
    this.#toldAt = this.#parts.clock.now()
    this.#parts.network.publishState(state)
  }

  /** @param isUrgent whether or not it is time */
  publishIfDue(isUrgent: boolean): void {
    if (this.#isDue() || isUrgent) this.publishState()
  }

  /** The others are to hear of this device: it is time, or something happened and the last word was long enough ago. */
  #isDue(): boolean {
    const pause = this.#parts.policy.reportInterval()
    const isNewsDue = this.#isUntold && this.#parts.clock.now() - this.#toldAt >= pause
    return this.#parts.reporter.isDue(pause) || isNewsDue
  }

  /** What this device says of itself counts here too: what it owns, above all. */
  hearSelf(): DeviceState {
    const state = this.#parts.reporter.nextState()
    this.#parts.view.heard(this.#parts.view.self, state, this.#parts.clock.now())
    return state
  }
}
