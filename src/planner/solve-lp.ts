/** What a linear programme came to. Dual values: by how much the objective grows for each unit more on the right side. */
export type LpOutcome =
  | {
      readonly kind: 'optimal'
      readonly objective: number
      readonly values: ReadonlyMap<string, number>
      readonly duals: ReadonlyMap<string, number>
    }
  | { readonly kind: 'infeasible' | 'unbounded' | 'timeLimit'; readonly because: string }

/** The solver, a port: takes a problem in CPLEX LP text. */
export type SolveLp = (text: string) => LpOutcome
