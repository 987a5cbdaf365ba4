import { foldText } from '../../report/fold-text.ts'
import type { Finding } from './finding.ts'

const MARKS = { ok: 'ok  ', note: 'note', todo: 'TODO' } as const

/** One line for what is well; of the rest also what to do. */
export const describeFindings = (findings: readonly Finding[]): string => {
  const lines = findings.flatMap(({ check, state, found, remedy }) => [
    foldText(`${MARKS[state]}  ${check}: ${found}`, '        '),
    ...(remedy === undefined ? [] : [foldText(`      -> ${remedy}`, '         ')])
  ])
  const open = findings.filter(({ state }) => state === 'todo').length
  const last = open === 0 ? 'all is well' : `${open} thing${open === 1 ? '' : 's'} to do`
  return `${[...lines, '', last].join('\n')}\n`
}
