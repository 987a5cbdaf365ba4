import type { Highs } from 'highs'
import * as module from 'highs'
import type { MipOutcome, SolveLp, SolveMip } from '../planner/solve-lp.ts'

/** The package's types speak of CommonJS, where the loader is the module; what is imported here is its default. */
const loadHighs = (module as unknown as { readonly default: () => Promise<Highs> }).default

/** Every programme of ours has a solution at hand, nothing at all; from there it is soonest at the best. */
const PRIMAL_SIMPLEX = 4
/** A limit above is none. */
const MOST_SECONDS = 1e6

/** HiGHS (Huangfu and Hall, 2018) in WebAssembly. Load once; the solver itself is synchronous. */
export const loadSolver = async (): Promise<SolveLp> => {
  const highs = await loadHighs()
  return (text, { timeLimit = Number.POSITIVE_INFINITY } = {}) => {
    const solution = highs.solve(text, {
      output_flag: false,
      simplex_strategy: PRIMAL_SIMPLEX,
      ...(timeLimit < MOST_SECONDS ? { time_limit: timeLimit } : {})
    })
    if (solution.Status !== 'Optimal') {
      const kind =
        solution.Status === 'Infeasible' ? 'infeasible' : solution.Status === 'Unbounded' ? 'unbounded' : 'timeLimit'
      return { kind, because: `HiGHS says ${solution.Status}` }
    }
    const columns = Object.values(solution.Columns as Record<string, { Name: string; Primal?: number }>)
    const rows = solution.Rows as readonly { Name: string; Dual?: number }[]
    const values = new Map(columns.map(column => [column.Name, column.Primal ?? 0]))
    const duals = new Map(rows.map(row => [row.Name, row.Dual ?? 0]))
    return { kind: 'optimal', objective: solution.ObjectiveValue, values, duals }
  }
}

/** The same for mixed-integer programmes. */
export const loadMipSolver = async (): Promise<SolveMip> => {
  const highs = await loadHighs()
  return (text, { timeLimit, gap, start }) =>
    highs.withModel({ format: 'lp', data: text }, (model): MipOutcome => {
      model.options.set({ output_flag: false, time_limit: timeLimit, mip_rel_gap: gap })
      const names = Array.from({ length: model.getDimensions().numCols }, (_, i) => model.getColName(i))
      if (start !== undefined) model.setSolution({ colValue: Float64Array.from(names, name => start.get(name) ?? 0) })
      model.run()
      const timedOut = model.getModelStatus() === highs.constants.modelStatus.timeLimit
      const infeasible = model.getModelStatus() === highs.constants.modelStatus.infeasible
      const found = Number(model.info.get('primal_solution_status')) === highs.constants.solutionStatus.feasible
      const { colValue } = model.getSolution()
      return {
        values: found ? new Map(names.map((name, i) => [name, colValue[i] ?? 0])) : undefined,
        upper: infeasible ? Number.NEGATIVE_INFINITY : dualBound(Number(model.info.get('mip_dual_bound'))),
        infeasible,
        timedOut
      }
    })
}

/** Where the search was cut off before it had a bound, HiGHS may say anything that is not one. */
const dualBound = (said: number): number => (Number.isNaN(said) ? Number.POSITIVE_INFINITY : said)
