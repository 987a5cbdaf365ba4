/** What a linear programme came to. Dual values: by how much the objective grows for each unit more on the right side. */
export type LpOutcome =
  | {
      readonly kind: 'optimal'
      readonly objective: number
      readonly values: ReadonlyMap<string, number>
      readonly duals: ReadonlyMap<string, number>
    }
  | { readonly kind: 'infeasible' | 'unbounded' | 'timeLimit'; readonly because: string }

export interface LpOptions {
  /** Seconds. Default: no limit. */
  readonly timeLimit?: number
}

/** The solver, a port: takes a problem in CPLEX LP text. */
export type SolveLp = (text: string, options?: LpOptions) => LpOutcome

/** What a mixed-integer programme came to within its time. */
export interface MipOutcome {
  /** undefined: no solution was found. */
  readonly values: ReadonlyMap<string, number> | undefined
  /** No solution is better than this (Infinity where nothing was proven); for a maximisation. */
  readonly upper: number
  readonly infeasible: boolean
  /** The time limit ended it: another run may find something else. */
  readonly timedOut: boolean
}

export interface MipOptions {
  readonly timeLimit: number
  /** Stop when this near to the upper bound, relative. */
  readonly gap: number
  /** A solution to start from, by column name; those that are missing count as 0. */
  readonly start?: ReadonlyMap<string, number>
}

/** The mixed-integer solver, a port: a maximisation in CPLEX LP text. */
export type SolveMip = (text: string, options: MipOptions) => MipOutcome
