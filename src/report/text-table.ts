import Table from 'cli-table3'

export interface Column {
  readonly title: string
  /** Numbers stand on the right, so that their digits line up. @default 'left' */
  readonly align?: 'left' | 'right'
}

const NO_BORDER = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map(part => [
    part,
    ''
  ])
)
const RULE_UNDER_HEAD = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' }

/** Plain text, no colour: a header, a rule, one line a row (more where a cell has line breaks). */
export const textTable = (columns: readonly Column[], rows: readonly (readonly string[])[]): string => {
  const table = new Table({
    head: columns.map(column => column.title),
    colAligns: columns.map(column => column.align ?? 'left'),
    chars: { ...NO_BORDER, ...RULE_UNDER_HEAD },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  })
  const rule = columns.map((column, i) => '-'.repeat(widest([column.title, ...rows.map(row => row[i] ?? '')])))
  table.push(rule, ...rows.map(row => [...row]))
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}

const widest = (cells: readonly string[]): number =>
  Math.max(...cells.flatMap(cell => cell.split('\n')).map(line => line.length))
