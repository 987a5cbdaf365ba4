import { epochOf, NUMBERS, numberOf, stepsBetween, TERMS, termAfter, termOf } from '../core/epoch.ts'
import type { DeviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

/** What another device says of itself, under its own signature. */
export interface Vote {
  readonly id: DeviceId
  /** Whom it wants to plan; undefined: it has not said. */
  readonly elects: DeviceId | undefined
  /** Of the placement that it follows; undefined: it follows none. */
  readonly follows: { readonly term: number; readonly planner: DeviceId } | undefined
}

/** What an election needs of the device around it, real or simulated. All answers are of this moment. */
export interface ElectionPorts {
  readonly self: DeviceId
  readonly now: () => Seconds
  /** Devices that stay, this one among them, by id, and whether each can plan. */
  readonly staying: () => readonly { readonly id: DeviceId; readonly canPlan: boolean }[]
  /** Of those that stay, all but this one. */
  readonly votes: () => readonly Vote[]
  /** Whether that planner should have told this device a placement other than what it has told it so far. */
  readonly owes: (planner: DeviceId) => boolean
  /** What this device follows. */
  readonly current: () => NumberedPlacement | undefined
  readonly say: (text: string) => void
  readonly nameOf: (device: DeviceId) => string
}

/** How far ahead of what it follows a device believes a term: others may have elected while it was away. */
const MOST_STEPS = 16
/**
 * A planner that owes a placement for so long, and for so much longer for each device that it plans for, is passed over. That it
 * says that it is making a plan is no excuse: one that takes long is preceded by a stopgap (see leader.ts).
 */
const PATIENCE: Seconds = seconds(10)
const PATIENCE_EACH: Seconds = seconds(0.2)
const LONGEST_PATIENCE: Seconds = seconds(25)
/** For so long. */
const PASSED_OVER: Seconds = seconds(300)
/** A device that believes nobody for so long begins anew, as if it had just come. */
const LOST: Seconds = seconds(60)
/** How often it is looked whether a placement is owed. */
const LOOK: Seconds = seconds(0.5)
/** Before a planner that is not followed begins another term. */
const REST: Seconds = seconds(5)

export type Judgement = 'newer' | 'old' | 'jump'

/**
 * Who plans. Each device votes, all the time and by its own lights: for the smallest id of those that stay, can plan and have not
 * been passed over. Whoever has half of the votes that it knows of, its own among them, is elected, and begins a term; others
 * believe placements of that device alone. A term is one more than what those who are there follow; one that is far from
 * it is believed of nobody.
 */
export class Election {
  readonly #ports: ElectionPorts
  readonly #passedOver = new Map<DeviceId, Seconds>()
  #elects: DeviceId | undefined
  #owedSince: Seconds | undefined
  #lookedAt: Seconds = seconds(Number.NEGATIVE_INFINITY)
  /** When this device last had all the placement that it is owed. */
  #contentAt: Seconds
  #begunAt: Seconds = seconds(Number.NEGATIVE_INFINITY)

  constructor(ports: ElectionPorts) {
    this.#ports = ports
    this.#contentAt = ports.now()
  }

  /** This device's vote. */
  get elects(): DeviceId | undefined {
    return this.#elects
  }

  /** Called often. @returns whether the vote has changed: the others are to hear of it */
  tick(): boolean {
    const { staying } = this.#ports
    const choice = this.#choice()
    const hasChanged = choice !== this.#elects
    if (hasChanged) this.#owedSince = undefined
    this.#elects = choice
    this.#watch(staying().length)
    return hasChanged
  }

  /** Whether half of the votes are for it, this device's among them. */
  isElected(planner: DeviceId): boolean {
    if (this.#elects !== planner) return false
    const cast = this.#ports.votes().filter(({ elects }) => elects !== undefined)
    const own = 1
    return 2 * (own + cast.filter(({ elects }) => elects === planner).length) >= own + cast.length
  }

  /** It was elected and did not plan, or not so that data come back. */
  isPassedOver(planner: DeviceId): boolean {
    const until = this.#passedOver.get(planner)
    return until !== undefined && until > this.#ports.now()
  }

  /** Whether this device is to plan. */
  get isHere(): boolean {
    return this.#elects === this.#ports.self && this.isElected(this.#ports.self)
  }

  /** Whether this device, which is elected, owes the others a placement. */
  get owes(): boolean {
    return this.#ports.owes(this.#ports.self)
  }

  /** @param placement of the device that it has elected */
  judge(placement: NumberedPlacement): Judgement {
    const current = this.#ports.current()
    const term = termOf(placement.epoch)
    if (current === undefined || this.#isLost()) {
      if (placement.epoch === current?.epoch && placement.planner === current.planner) return 'old'
      const usual = this.#usualTerm()
      return usual === undefined || stepsBetween(usual, term) <= MOST_STEPS ? 'newer' : 'jump'
    }
    const steps = stepsBetween(termOf(current.epoch), term)
    if (steps === 0) return placement.planner === current.planner && placement.epoch > current.epoch ? 'newer' : 'old'
    if (steps <= MOST_STEPS) return 'newer'
    if (TERMS - steps <= MOST_STEPS) return 'old'
    return this.#isFollowedByMost(placement) ? 'newer' : 'jump'
  }

  /** Of the next placement of this device, which is elected. */
  nextEpoch(): number {
    const { self } = this.#ports
    const current = this.#ports.current()
    const base = this.#base(current)
    const isOurs = current?.planner === self && termOf(current.epoch) === base
    if (isOurs && !this.#isAhead(base) && numberOf(current.epoch) + 1 < NUMBERS) return current.epoch + 1
    this.#begunAt = this.#ports.now()
    const steps = Math.max(0, ...this.#stepsAhead(base))
    return epochOf(termAfter(base, steps + 1), 1)
  }

  /** Whether some that have elected this device follow another in a term that is no older: they believe it in a new one only. */
  mustBeginAnew(): boolean {
    const { self, now } = this.#ports
    const current = this.#ports.current()
    if (current?.planner !== self || now() - this.#begunAt < REST) return false
    const base = this.#base(current)
    return base !== termOf(current.epoch) || this.#isAhead(base)
  }

  #choice(): DeviceId | undefined {
    const now = this.#ports.now()
    for (const [id, until] of this.#passedOver) if (until <= now) this.#passedOver.delete(id)
    const able = this.#ports.staying().filter(({ canPlan }) => canPlan)
    const first = able.find(({ id }) => !this.#passedOver.has(id))
    if (first !== undefined || able.length === 0) return first?.id
    this.#passedOver.clear()
    return able[0]!.id
  }

  #watch(devices: number): void {
    const { now, owes, nameOf, say, self, staying } = this.#ports
    if (now() - this.#lookedAt < LOOK) return
    this.#lookedAt = now()
    const planner = this.#elects
    if (planner === undefined || !owes(planner)) {
      this.#owedSince = undefined
      this.#contentAt = now()
      return
    }
    this.#owedSince ??= now()
    if (now() - this.#owedSince < Math.min(PATIENCE + PATIENCE_EACH * devices, LONGEST_PATIENCE)) return
    if (!staying().some(({ id, canPlan }) => canPlan && id !== planner)) return
    this.#passedOver.set(planner, seconds(now() + PASSED_OVER))
    say(
      `${planner === self ? 'this device' : nameOf(planner)} is to plan and does not: others do, for ${PASSED_OVER} s`
    )
  }

  #isLost(): boolean {
    return this.#ports.now() - this.#contentAt >= LOST
  }

  /** In which most of the others are, that are in any. */
  #usualTerm(): number | undefined {
    const terms = this.#ports.votes().flatMap(({ follows }) => (follows === undefined ? [] : [follows.term]))
    return terms.find(term => 2 * terms.filter(other => other === term).length > terms.length)
  }

  /** Of two or more others: one alone could say anything. */
  #isFollowedByMost({ epoch, planner }: NumberedPlacement): boolean {
    const votes = this.#ports.votes()
    const isIn = ({ follows }: Vote): boolean => follows?.planner === planner && follows.term === termOf(epoch)
    return votes.length > 1 && 2 * votes.filter(isIn).length > votes.length
  }

  /** What terms are counted from: where this device is, or most of the others where that is ahead. */
  #base(current: NumberedPlacement | undefined): number {
    const usual = this.#usualTerm()
    if (current === undefined) return usual ?? 0
    const own = termOf(current.epoch)
    return usual !== undefined && stepsBetween(own, usual) < TERMS / 2 ? usual : own
  }

  #stepsAhead(base: number): readonly number[] {
    return this.#ports.votes().flatMap(({ follows }) => {
      const steps = follows === undefined ? TERMS : stepsBetween(base, follows.term)
      return steps <= MOST_STEPS ? [steps] : []
    })
  }

  /** Whether somebody follows another planner in that term, or is in a later one. */
  #isAhead(base: number): boolean {
    const { self, votes } = this.#ports
    return votes().some(({ follows }) => {
      if (follows === undefined) return false
      const steps = stepsBetween(base, follows.term)
      return steps === 0 ? follows.planner !== self : steps <= MOST_STEPS
    })
  }
}
