import { type Seconds, seconds } from '../core/units.ts'
import type { PlacementProblem } from './placement.ts'

/** Joins and departures come in bursts; one plan for all of them. */
const SETTLE: Seconds = seconds(0.4)
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
 * for a while, the longer the more often that led to nothing. A device that comes is there before its links are measured, so a plan for it alone would be one without it.
 */
export class ReplanRule {
  /** With its shape: that is asked for ten times a second. */
  #planned: { readonly problem: PlacementProblem; readonly shape: string; readonly links: string } | undefined
  /** What would be planned for, and since when it has been so. */
  #pending: { readonly shape: string; readonly since: Seconds } | undefined
  #driftSince: Seconds | undefined
  #greatDriftSince: Seconds | undefined
  #lasts: Seconds = DRIFT_LASTS

  isDue(problem: PlacementProblem, now: Seconds): boolean {
    const shape = shapeOf(problem) + linksOf(problem)
    if (this.#planned === undefined || shape !== this.#planned.shape + this.#planned.links)
      return this.#isSettled(shape, now)
    this.#pending = undefined
    return this.#hasDrifted(problem, this.#planned.problem, now)
  }

  /** @returns whether this differs from the last plan's problem in speeds, rates and links only */
  planned(problem: PlacementProblem): boolean {
    const shape = shapeOf(problem)
    const isDrift = this.#planned?.shape === shape
    this.#planned = { problem, shape, links: linksOf(problem) }
    this.#pending = undefined
    this.#driftSince = undefined
    this.#greatDriftSince = undefined
    if (!isDrift) this.#lasts = DRIFT_LASTS
    return isDrift
  }

  /** Whether the plan for drift moves blocks. */
  came(changes: boolean): void {
    this.#lasts = changes ? DRIFT_LASTS : seconds(Math.min(LONGEST, 2 * this.#lasts))
  }

  /** Somebody else plans now. */
  forget(): void {
    this.#planned = undefined
  }

  #isSettled(shape: string, now: Seconds): boolean {
    if (this.#pending?.shape !== shape) this.#pending = { shape, since: now }
    return now - this.#pending.since >= SETTLE
  }

  #hasDrifted(problem: PlacementProblem, planned: PlacementProblem, now: Seconds): boolean {
    this.#driftSince = isFar(problem, planned, DRIFT) ? (this.#driftSince ?? now) : undefined
    this.#greatDriftSince = isFar(problem, planned, GREAT_DRIFT) ? (this.#greatDriftSince ?? now) : undefined
    const lasted = (since: Seconds | undefined, least: Seconds): boolean => since !== undefined && now - since >= least
    return lasted(this.#driftSince, this.#lasts) || lasted(this.#greatDriftSince, DRIFT_LASTS)
  }
}

/** Who is there with how much memory, for which models and sources, and what these ask for. Not what is carried, nor how fast anything is. */
const shapeOf = ({ devices, models, sources }: PlacementProblem): string =>
  JSON.stringify([
    devices.map(({ id, memory }) => [id, memory]),
    models.map(({ id }) => id),
    sources.map(({ device, model, demand }) => [device, model, demand])
  ])

const linksOf = ({ links }: PlacementProblem): string =>
  JSON.stringify(links.map(({ from, to }) => `${from} ${to}`).sort())

const isFar = (now: PlacementProblem, then: PlacementProblem, drift: number): boolean => {
  const far = (a: number, b: number | undefined): boolean =>
    b === undefined || Math.abs(Math.log(a / b)) > Math.log(1 + drift)
  const rates = new Map(then.links.map(({ from, to, rate }) => [`${from} ${to}`, rate]))
  return (
    now.devices.some(({ speed }, n) => far(speed, then.devices[n]?.speed)) ||
    now.links.some(({ from, to, rate }) => far(rate, rates.get(`${from} ${to}`)))
  )
}
