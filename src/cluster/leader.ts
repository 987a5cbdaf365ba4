import type { DeviceId } from '../core/ids.ts'
import type { ReplanCause } from '../core/replan-cause.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { isSamePlacement } from '../planner/is-same-placement.ts'
import type { PlacementOutcome, PlacementProblem } from '../planner/placement.ts'
import { ReplanRule } from '../planner/replan-rule.ts'
import type { Election } from './election.ts'
import type { NumberedPlacement } from './numbered-placement.ts'
import { stopgapPlacement } from './stopgap-placement.ts'

/** What the leader needs of the device around it, real or simulated. Callbacks, so that simulated time needs no promises. */
export interface LeaderPorts {
  readonly self: DeviceId
  readonly now: () => Seconds
  readonly election: Election
  /** Whether all that are there have said what they are and carry, and all models that they speak of are known. */
  readonly allAreKnown: () => boolean
  /** What those that stay say, as a problem; asked for only where this device leads. */
  readonly problem: () => PlacementProblem
  /** Calls one of the two, once, in its time. */
  readonly make: (problem: PlacementProblem, made: (outcome: PlacementOutcome) => void, failed: () => void) => void
  readonly publish: (placement: NumberedPlacement) => void
  /** A plan is to be made in a moment: what it takes may get ready. */
  readonly expect?: () => void
}

/** A device whose state or model does not come for so long is planned without. */
const PATIENCE: Seconds = seconds(3)
/** A plan that takes longer is preceded by a stopgap, where the others are owed a placement. Less than they wait for it. */
const STOPGAP_AFTER: Seconds = seconds(5)
/** After a plan that failed. */
const REST: Seconds = seconds(2)

/**
 * The leader plans for all that stay: it is whom they have elected (see election.ts). Every device runs this and sees for itself
 * whether it leads. One plan is made at a time.
 */
export class Leader {
  readonly #ports: LeaderPorts
  readonly #rule = new ReplanRule()
  readonly #plans = new Map<ReplanCause, number>()
  #planningSince: Seconds | undefined
  #hasStopgap = false
  #notBefore: Seconds = seconds(0)
  #strangersSince: Seconds | undefined

  constructor(ports: LeaderPorts) {
    this.#ports = ports
  }

  /** Plans that were made here, by what had changed. */
  get plans(): ReadonlyMap<ReplanCause, number> {
    return this.#plans
  }

  /** By what share the speed or rate that is furthest off differs from what was planned with; 0 where another device plans. */
  get drift(): number {
    return this.#rule.drift
  }

  /** For how long the plan under way has been made; undefined while none is. */
  get planningFor(): Seconds | undefined {
    const since = this.#planningSince
    return since === undefined ? undefined : seconds(this.#ports.now() - since)
  }

  isHere(): boolean {
    return this.#ports.election.isHere
  }

  /** The placement in force is the plan for what is there now: how a run begins whose blocks are in their places. */
  planned(): void {
    this.#rule.planned(this.#ports.problem())
  }

  /**
   * Called often. Plans when the problem has changed and has been still for a moment, or has drifted for a while.
   * @param current the placement in force, whoever made it
   */
  tick(current: NumberedPlacement | undefined): void {
    if (!this.isHere()) {
      this.#rule.forget()
      this.#strangersSince = undefined
      return
    }
    const { self, now, problem, election, expect } = this.#ports
    if (this.#planningSince !== undefined) this.#bridge(current)
    if (this.#planningSince !== undefined || now() < this.#notBefore) return
    const asked = problem()
    if (asked.models.length === 0) return
    if (current !== undefined && current.planner !== self) this.#rule.forget()
    if (current !== undefined && election.mustBeginAnew()) this.#publish(current)
    if (this.#waitsForStrangers()) return
    if (this.#rule.isDue(asked, now())) this.#plan(asked, current)
    else if (this.#rule.isPending) expect?.()
  }

  /** Whoever has just come knows others before it has heard what they carry: a plan by then would take that from them. */
  #waitsForStrangers(): boolean {
    const { now, allAreKnown } = this.#ports
    if (allAreKnown()) this.#strangersSince = undefined
    else this.#strangersSince ??= now()
    return this.#strangersSince !== undefined && now() - this.#strangersSince < PATIENCE
  }

  /** What the others are owed they get before the plan is made, if that takes long. */
  #bridge(current: NumberedPlacement | undefined): void {
    const { election, problem } = this.#ports
    if (this.#hasStopgap || this.planningFor! < STOPGAP_AFTER || !election.owes) return
    this.#hasStopgap = true
    this.#publish(stopgapPlacement(problem(), current?.placement))
  }

  /** One that fails is made again after a rest. */
  #plan(problem: PlacementProblem, current: NumberedPlacement | undefined): void {
    const { now, make } = this.#ports
    this.#planningSince = now()
    this.#hasStopgap = false
    const made = (outcome: PlacementOutcome): void => {
      this.#planningSince = undefined
      this.#made(problem, outcome, current)
    }
    const failed = (): void => {
      this.#planningSince = undefined
      this.#notBefore = seconds(now() + REST)
    }
    make(problem, made, failed)
  }

  #made(problem: PlacementProblem, outcome: PlacementOutcome, current: NumberedPlacement | undefined): void {
    if (!this.isHere()) return
    const cause = this.#rule.planned(problem)
    this.#plans.set(cause, (this.#plans.get(cause) ?? 0) + 1)
    if ((cause === 'links' || cause === 'drift') && current !== undefined) {
      const changes = !isSamePlacement(outcome.placement, current.placement)
      this.#rule.came(changes)
      if (!changes) return
    }
    this.#publish(outcome)
  }

  #publish(outcome: PlacementOutcome): void {
    const { self, election, publish } = this.#ports
    publish({ ...outcome, epoch: election.nextEpoch(), planner: self })
  }
}
