export interface LpProgramme {
  /** What is to be maximised. */
  readonly objective: string
  /** By name: terms with their signs, and the bound, like "<= 1". */
  readonly rows: ReadonlyMap<string, { readonly terms: readonly string[]; readonly bound: string }>
  /** Columns between 0 and 1; all others are at least 0. */
  readonly atMostOne?: readonly string[]
  /** Columns that are 0 or 1. */
  readonly binaries?: readonly string[]
}

/** A maximisation in CPLEX LP format. */
export const lpText = ({ objective, rows, atMostOne = [], binaries = [] }: LpProgramme): string =>
  [
    'Maximize',
    ` obj: ${objective}`,
    'Subject To',
    ...[...rows].map(([name, { terms, bound }]) => ` ${name}: ${joined(terms)} ${bound}`),
    ...(atMostOne.length > 0 ? ['Bounds', ...atMostOne.map(column => ` 0 <= ${column} <= 1`)] : []),
    ...(binaries.length > 0 ? ['Binaries', ...binaries.map(column => ` ${column}`)] : []),
    'End'
  ].join('\n')

/** A few to a line: solvers limit the length of a line. */
const joined = (terms: readonly string[]): string =>
  terms.map((term, i) => `${term.startsWith('-') ? '' : '+ '}${term}${i % 8 === 7 ? '\n' : ' '}`).join('')
