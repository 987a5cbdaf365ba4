import type { BlockTable } from './block-table.ts'
import { capacityBound } from './capacity-bound.ts'
import { capacityOf } from './capacity-of.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { explainPlan } from './explain-plan.ts'
import { changedProblem, type NamedProblem, type OutlookChange } from './outlook-change.ts'
import type { Placement } from './placement.ts'
import { unloadedTimes } from './plan.ts'
import { type PlannedPlacementParts, plannedPlacement } from './planned-placement.ts'
import { tableOf } from './table-of.ts'
import { type TightResource, tightResources } from './tight-resources.ts'

export interface OutlookQuestion extends NamedProblem {
  /** Absent: of the cluster as it is. */
  readonly change?: OutlookChange
}

/** What blocks can serve where they are. Made of numbers and words alone: it travels as JSON. */
export type Served =
  | {
      readonly kind: 'served'
      /** In times of all demands together. */
      readonly scale: number
      readonly sources: readonly {
        readonly source: string
        /** Data per second that it asks for; of one that always has the next, 1. */
        readonly demand: number
        /** Results per second that it can have. */
        readonly rate: number
        /** Seconds from a datum to its result where nothing else is under way; null where that is not known. */
        readonly time: number | null
      }[]
      /** What has no time left, dearest first. */
      readonly tight: readonly TightResource[]
      readonly bottleneck: string
      readonly gains: readonly string[]
      /** Whether distributing does, in words. */
      readonly pays: string
      /** The scale that each source's own device reaches alone; 0 where one cannot. */
      readonly alone: number
    }
  | { readonly kind: 'unserved'; readonly because: string }

/** What one device would load and let go. */
export interface Move {
  readonly device: string
  readonly model: string
  readonly loads: readonly number[]
  readonly drops: readonly number[]
  /** Of what it loads. */
  readonly bytes: number
}

export type Outlook =
  | {
      readonly kind: 'outlook'
      /** While nothing changes. */
      readonly now: Served
      /** While blocks stay where they are. */
      readonly carried: Served
      /** Once they are where the planner would have them. */
      readonly planned: Served
      /** The scale of the best placement that was found; the planner moves nothing for a twentieth. Null where there is none. */
      readonly best: number | null
      readonly moves: readonly Move[]
    }
  | { readonly kind: 'none'; readonly because: string }

/** What limits a cluster, what another placement would give, and how both would be if something were otherwise. */
export const outlook = ({ change, ...asked }: OutlookQuestion, parts: PlannedPlacementParts): Outlook => {
  const meant = change === undefined ? asked : changedProblem(asked, change)
  if ('because' in meant) return { kind: 'none', because: meant.because }
  const { problem, names } = meant
  if (problem.models.length === 0) return { kind: 'none', because: 'no device has a model' }
  if (problem.sources.length === 0) return { kind: 'none', because: 'no source would be left to plan for' }
  const capacity = capacityOf(problem, names)
  const { placement, unplaced, foreseen } = plannedPlacement(problem, parts)
  const [missing] = unplaced
  const of = (table: BlockTable): Served => served(capacity, table, parts)
  const carried = tableOf(problem, capacity, problem.carried)
  const planned = tableOf(problem, capacity, placement)
  const inPlace = of(carried)
  return {
    kind: 'outlook',
    now: meant === asked ? inPlace : servedAsItIs(asked, parts),
    carried: inPlace,
    planned: missing === undefined ? of(planned) : { kind: 'unserved', because: missing.because },
    best: foreseen?.best ?? null,
    moves: movesOf(meant, placement)
  }
}

const servedAsItIs = ({ problem, names }: NamedProblem, parts: PlannedPlacementParts): Served => {
  const capacity = capacityOf(problem, names)
  return served(capacity, tableOf(problem, capacity, problem.carried), parts)
}

const served = (
  capacity: CapacityProblem,
  { carries }: BlockTable,
  { solve, now, timeLimit }: PlannedPlacementParts
): Served => {
  const outcome = capacityBound(capacity, carries, solve)
  if (outcome.kind === 'infeasible') return unserved(capacity, outcome)
  const free = capacityBound(capacity, () => true, solve)
  if (outcome.kind !== 'bound' || free.kind !== 'bound') return { kind: 'unserved', because: 'there was no time' }
  const predicted = outcome.bound
  const until = now() + timeLimit
  const time = { mayGoOn: () => now() < until, left: () => Math.max(0, until - now()) }
  const { bottleneck, gains, pays, local: alone } = explainPlan(capacity, { free: free.bound, predicted }, solve, time)
  const times = unloadedTimes(capacity, carries, time)
  return {
    kind: 'served',
    scale: predicted.scale,
    sources: capacity.sources.map(({ name, demand }, s) => ({
      ...{ source: name, demand, rate: predicted.scale * demand },
      time: Number.isNaN(times[s]) ? null : times[s]!
    })),
    tight: tightResources(capacity, predicted),
    ...{ bottleneck, gains, pays, alone }
  }
}

const unserved = (
  { sources, models }: CapacityProblem,
  { source, block }: { readonly source: number; readonly block: number }
): Served => {
  const { name, model } = sources[source]!
  return {
    kind: 'unserved',
    because: `block ${block} of ${models[model]!.name} is on no device that ${name} could use`
  }
}

const movesOf = ({ problem, names }: NamedProblem, placement: Placement): readonly Move[] =>
  problem.devices.flatMap(({ id }, n) =>
    problem.models.flatMap((model, m) => {
      const [before, after] = [problem.carried, placement].map(of => new Set(of.get(id)?.get(model.id) ?? []))
      const loads = [...after!].filter(k => !before!.has(k))
      const drops = [...before!].filter(k => !after!.has(k))
      if (loads.length + drops.length === 0) return []
      const bytes = loads.reduce((sum, k) => sum + (model.blocks[k]?.bytes ?? 0), 0)
      return [{ device: names.devices[n]!, model: names.models[m]!, loads, drops, bytes }]
    })
  )

/** For whoever has to make it elsewhere. */
export type Foresee = (question: OutlookQuestion) => Promise<Outlook>
