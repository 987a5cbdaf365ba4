import type { DeviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Election } from './election.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

/** What an inbox needs of the device around it, real or simulated. */
export interface PlacementInboxPorts {
  readonly now: () => Seconds
  readonly election: Election
  /** Why it cannot be, in words; undefined: it can. */
  readonly fault: (placement: NumberedPlacement) => string | undefined
  /** Follow it from now on. */
  readonly adopt: (placement: NumberedPlacement) => void
  /** It is not believed, and why. */
  readonly refused: (from: DeviceId, because: string) => void
}

/** Between two that are followed: blocks that move all the time serve nobody. */
const GAP: Seconds = seconds(0.5)
/** What is wrong with a placement may pass, as where a device in it is not known here yet: it is said when it has lasted. */
const SAY_AFTER: Seconds = seconds(3)
/** Senders whose placement is kept until it can be believed. */
const MOST = 8

/**
 * Placements that were heard of. One is followed when it comes from the device that planned it, that device is elected, and what it
 * says can be; until then the latest of each sender waits: a vote may come later than what it was for.
 */
export class PlacementInbox {
  readonly #ports: PlacementInboxPorts
  readonly #waiting = new Map<DeviceId, NumberedPlacement>()
  #adoptedAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  /** What was said last. */
  #complaint = ''
  #fault: { readonly because: string; readonly since: Seconds } | undefined

  constructor(ports: PlacementInboxPorts) {
    this.#ports = ports
  }

  heard(from: DeviceId, placement: NumberedPlacement): void {
    if (placement.planner !== from) {
      this.#refuse(from, `it says that ${placement.planner.slice(0, 80)} planned it`)
      return
    }
    this.#waiting.delete(from)
    this.#waiting.set(from, placement)
    const { elects } = this.#ports.election
    const oldest = [...this.#waiting.keys()].find(id => id !== elects)
    if (this.#waiting.size > MOST && oldest !== undefined) this.#waiting.delete(oldest)
    this.tick()
  }

  left(device: DeviceId): void {
    this.#waiting.delete(device)
  }

  /** Called often. */
  tick(): void {
    const { now, election, fault, adopt } = this.#ports
    const { elects } = election
    const placement = elects === undefined ? undefined : this.#waiting.get(elects)
    if (elects === undefined || placement === undefined || !election.isElected(elects)) return
    const judgement = election.judge(placement)
    if (judgement !== 'newer') {
      this.#waiting.delete(elects)
      if (judgement === 'jump') this.#refuse(elects, 'its term is far from those before')
      return
    }
    const because = fault(placement)
    if (because !== undefined) this.#wait(elects, because)
    if (because !== undefined || now() - this.#adoptedAt < GAP) return
    this.#waiting.delete(elects)
    this.#adoptedAt = now()
    this.#complaint = ''
    this.#fault = undefined
    adopt(placement)
  }

  #wait(from: DeviceId, because: string): void {
    const now = this.#ports.now()
    if (this.#fault?.because !== because) this.#fault = { because, since: now }
    if (now - this.#fault.since >= SAY_AFTER) this.#refuse(from, because)
  }

  /** Once for each thing that is wrong. */
  #refuse(from: DeviceId, because: string): void {
    const complaint = `${from} ${because}`
    if (complaint === this.#complaint) return
    this.#complaint = complaint
    this.#ports.refused(from, because)
  }
}
