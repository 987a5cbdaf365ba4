import { BlockTable } from './block-table.ts'
import { blockTime } from './block-time.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import { lpText } from './lp-text.ts'
import type { MipOptions, SolveMip } from './solve-lp.ts'

export interface ExactPlacement {
  readonly table: BlockTable | undefined
  /** No placement serves more than this. */
  readonly upper: number
  /** No placement serves every source: proven. */
  readonly infeasible: boolean
  readonly timedOut: boolean
}

/** How many columns the programme would have; binaries cost most. */
export const exactSize = ({
  devices,
  links,
  models,
  sources
}: CapacityProblem): { columns: number; binaries: number } => {
  const limited = devices.filter(({ memory }) => memory !== Number.POSITIVE_INFINITY).length
  const used = [...new Set(sources.map(({ model }) => model))]
  const blocks = used.reduce((sum, m) => sum + models[m]!.work.length, 0)
  const columns = sources.reduce((sum, { model }) => {
    const k = models[model]!.work.length
    return sum + k * devices.length + (k + 1) * links.length
  }, 0)
  return { columns, binaries: limited * blocks }
}

/**
 * The placement that serves most, exactly: DESIGN's mixed-integer programme on the arc flows of the layered graph. For
 * small problems.
 *
 *   x_snk  data of s that run block k at n                  z_skl  data of s whose activation k takes link l
 *   y_nmk  1 where n carries block k of model m
 *   x_snk <= F y_nmk, Σ_k bytes y_nmk <= memory_n, conservation of flow, every worker and link used at most all the time
 *
 * All flows in units of what the source gets without memory limits, memory in shares of a device's: numbers near 1, whatever
 * the units of the problem.
 *
 * @param free scale of the bound without memory: no source gets more than that times its demand
 */
export const exactPlacement = (
  problem: CapacityProblem,
  free: number,
  solve: SolveMip,
  options: Omit<MipOptions, 'start'>
): ExactPlacement => {
  const { devices, models } = problem
  const rows = new Rows()
  const binaries = new Set<string>()
  for (const s of problem.sources.keys()) addSource(problem, s, free, rows, binaries)
  for (const [n, { memory }] of devices.entries()) {
    if (memory === Number.POSITIVE_INFINITY) continue
    for (const [m, { weights }] of models.entries()) {
      for (const [k, size] of weights.entries()) {
        if (binaries.has(`y${n}_${m}_${k}`))
          rows.put(`g${n}`, '<= 1', size === 0 ? 0 : size / memory, `y${n}_${m}_${k}`)
      }
    }
  }
  // Without a block that might be carried or not, the solver has no integers to bound.
  if (binaries.size === 0) return { table: undefined, upper: free, infeasible: false, timedOut: false }
  const outcome = solve(lpText({ objective: 'theta', rows: rows.all, binaries: [...binaries] }), options)
  const { values, infeasible, timedOut } = outcome
  const upper = free * outcome.upper
  if (values === undefined) return { table: undefined, upper, infeasible, timedOut }
  const table = new BlockTable(problem)
  for (const [n, { memory }] of devices.entries()) {
    for (const [m, { work }] of models.entries()) {
      for (const k of work.keys()) {
        const wanted = memory === Number.POSITIVE_INFINITY || (values.get(`y${n}_${m}_${k}`) ?? 0) > 0.5
        if (wanted) table.put(n, m, k)
      }
    }
  }
  return { table, upper, infeasible, timedOut }
}

class Rows {
  readonly all = new Map<string, { terms: string[]; bound: string }>()

  put(row: string, bound: string, factor: number, column: string): void {
    const known = this.all.get(row) ?? { terms: [], bound }
    known.terms.push(factor < 0 ? `- ${-factor} ${column}` : `${factor} ${column}`)
    this.all.set(row, known)
  }
}

const addSource = (problem: CapacityProblem, s: number, free: number, rows: Rows, binaries: Set<string>): void => {
  const { devices, links, models, sources } = problem
  const { device: home, model, demand } = sources[s]!
  const { work, activations, weights, pinned } = models[model]!
  const balance = (k: number, n: number, factor: number, column: string): void =>
    rows.put(`f${s}_${k}_${n}`, '= 0', factor, column)
  /** Data per second that one unit of flow is. */
  const unit = free * demand
  balance(0, home, 1, 'theta')
  balance(work.length, home, -1, 'theta')
  for (const [n, { memory }] of devices.entries()) {
    for (const k of work.keys()) {
      if (weights[k]! > memory || (pinned === true && k === 0 && n !== home)) continue
      const time = blockTime(problem, n, model, k)
      const run = `x${s}_${n}_${k}`
      balance(k, n, -1, run)
      balance(k + 1, n, 1, run)
      rows.put(`w${n}`, '<= 1', unit * time, run)
      if (memory === Number.POSITIVE_INFINITY) continue
      const carried = `y${n}_${model}_${k}`
      binaries.add(carried)
      rows.put(`c${s}_${n}_${k}`, '<= 0', 1, run)
      rows.put(`c${s}_${n}_${k}`, '<= 0', -Math.min(1, 1 / time / unit), carried)
    }
  }
  for (const [l, { from, to, rate, medium }] of links.entries()) {
    for (const [k, size] of activations.entries()) {
      const send = `z${s}_${k}_${l}`
      balance(k, from, -1, send)
      balance(k, to, 1, send)
      if (size > 0) rows.put(medium === undefined ? `l${l}` : `m${medium}`, '<= 1', (unit * size) / rate, send)
    }
  }
}
