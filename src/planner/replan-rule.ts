import type { ReplanCause } from '../core/replan-cause.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { PlacementProblem } from './placement.ts'

/** Joins and departures come in bursts; one plan for all of them. */
const SETTLE: Seconds = seconds(0.4)
/** Of who has come since the last plan links are to be known, both ways; where nothing comes for so long, some will not be. */
const LINKS_SETTLE: Seconds = seconds(1)
/** How far a measured speed or rate may be from what was planned with, and for how long, before it is planned anew. */
const DRIFT = 0.2
const DRIFT_LASTS: Seconds = seconds(3)
/** Beyond a factor of so much it is no noise of measuring. */
const GREAT_DRIFT = 1
/** After plans for drift that changed nothing, smaller drift must have lasted twice as long each time, at most so long. */
const LONGEST: Seconds = seconds(60)

/**
 * When to plan anew, for running clusters and for simulated ones: when who is there, the models, the sources or which links
 * are known have changed and have been still for a moment; when a measured speed or rate has been off by more than a fifth
 * for a while, the longer the more often that led to nothing. A device that comes is there before its links are measured, and
 * these become known one by one: a plan before the last would be one without it.
 */
export class ReplanRule {
  /** With its shape: that is asked for ten times a second. */
  #planned: { readonly problem: PlacementProblem; readonly shape: string; readonly links: string } | undefined
  /** What would be planned for, and since when it has been so. */
  #pending: { readonly shape: string; readonly since: Seconds } | undefined
  #driftSince: Seconds | undefined
  #greatDriftSince: Seconds | undefined
  #lasts: Seconds = DRIFT_LASTS
  #drift = 0

  /** By what share the speed or rate that is furthest off differed from what was planned with, when that was last asked. */
  get drift(): number {
    return this.#drift
  }

  /** Whether what is to be planned for has changed, and there is no plan for it yet. */
  get isPending(): boolean {
    return this.#pending !== undefined
  }

  isDue(problem: PlacementProblem, now: Seconds): boolean {
    const shape = shapeOf(problem) + linksOf(problem)
    if (this.#planned === undefined || shape !== this.#planned.shape + this.#planned.links)
      return this.#isSettled(problem, shape, now)
    this.#pending = undefined
    return this.#hasDrifted(problem, this.#planned.problem, now)
  }

  /** @returns what differs from the last plan's problem */
  planned(problem: PlacementProblem): ReplanCause {
    const cause = this.#planned === undefined ? 'first' : causeOf(problem, this.#planned.problem)
    this.#planned = { problem, shape: shapeOf(problem), links: linksOf(problem) }
    this.#pending = undefined
    this.#driftSince = undefined
    this.#greatDriftSince = undefined
    this.#drift = 0
    if (cause !== 'links' && cause !== 'drift') this.#lasts = DRIFT_LASTS
    return cause
  }

  /** Whether the plan for drift moves blocks. */
  came(changes: boolean): void {
    this.#lasts = changes ? DRIFT_LASTS : seconds(Math.min(LONGEST, 2 * this.#lasts))
  }

  /** Somebody else plans now. */
  forget(): void {
    this.#planned = undefined
    this.#drift = 0
  }

  #isSettled(problem: PlacementProblem, shape: string, now: Seconds): boolean {
    if (this.#pending?.shape !== shape) this.#pending = { shape, since: now }
    return now - this.#pending.since >= (this.#isLinked(problem) ? SETTLE : LINKS_SETTLE)
  }

  /** Whether links between those who have come since the last plan and all others are known, both ways. */
  #isLinked({ devices, links }: PlacementProblem): boolean {
    const before = new Set(this.#planned?.problem.devices.map(({ id }) => id))
    const isNew = devices.map(({ id }) => !before.has(id))
    const ofNew = links.filter(({ from, to }) => isNew[from] === true || isNew[to] === true)
    const old = isNew.filter(is => !is).length
    const pairs = devices.length * (devices.length - 1) - old * (old - 1)
    return new Set(ofNew.map(({ from, to }) => `${from} ${to}`)).size >= pairs
  }

  #hasDrifted(problem: PlacementProblem, planned: PlacementProblem, now: Seconds): boolean {
    this.#drift = driftOf(problem, planned)
    this.#driftSince = this.#drift > DRIFT ? (this.#driftSince ?? now) : undefined
    this.#greatDriftSince = this.#drift > GREAT_DRIFT ? (this.#greatDriftSince ?? now) : undefined
    const lasted = (since: Seconds | undefined, least: Seconds): boolean => since !== undefined && now - since >= least
    return lasted(this.#driftSince, this.#lasts) || lasted(this.#greatDriftSince, DRIFT_LASTS)
  }
}

/** Who is there with how much memory, for which models and sources, and what these ask for. Not what is carried, nor how fast anything is. */
const shapeOf = (problem: PlacementProblem): string => JSON.stringify(Object.values(PARTS).map(part => part(problem)))

const PARTS = {
  devices: ({ devices }: PlacementProblem): unknown => devices.map(({ id, memory }) => [id, memory]),
  models: ({ models }: PlacementProblem): unknown => models.map(({ id }) => id),
  sources: ({ sources }: PlacementProblem): unknown =>
    sources.map(({ device, model, demand }) => [device, model, demand])
}

const causeOf = (now: PlacementProblem, then: PlacementProblem): ReplanCause => {
  for (const [cause, part] of Object.entries(PARTS) as [keyof typeof PARTS, (typeof PARTS)[keyof typeof PARTS]][])
    if (JSON.stringify(part(now)) !== JSON.stringify(part(then))) return cause
  return linksOf(now) === linksOf(then) ? 'drift' : 'links'
}

const linksOf = ({ links }: PlacementProblem): string =>
  JSON.stringify(links.map(({ from, to }) => `${from} ${to}`).sort())

const ofAllLanes = ({ speed, lanes = 1 }: PlacementProblem['devices'][number]): number => speed * lanes

/** Of all speeds and rates, by what share the one that is furthest off is above what it was, or below. */
const driftOf = (now: PlacementProblem, then: PlacementProblem): number => {
  const rates = new Map(then.links.map(({ from, to, rate }) => [`${from} ${to}`, rate]))
  const apart = [
    ...now.devices.map((device, n) => Math.log(ofAllLanes(device) / ofAllLanes(then.devices[n]!))),
    ...now.links.map(({ from, to, rate }) => Math.log(rate / rates.get(`${from} ${to}`)!))
  ]
  return Math.exp(apart.reduce((most, log) => Math.max(most, Math.abs(log)), 0)) - 1
}
