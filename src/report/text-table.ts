import Table from 'cli-table3'
import { WIDTH } from './fold-text.ts'

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
/** Between two columns. */
const GAP = 2
/** No column of text becomes narrower. */
const NARROW = 12

/**
 * Plain text, no colour: a header, a rule, one line a row (more where a cell has line breaks). Where it would be wider than
 * `width`, the widest columns of text are broken into lines.
 */
export const textTable = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number = WIDTH
): string => {
  const widths = widthsOf(columns, rows, width)
  const folded = (cells: readonly string[]): string[] => cells.map((cell, i) => foldCell(cell, widths[i] ?? width))
  const table = new Table({
    head: folded(columns.map(column => column.title)),
    colAligns: columns.map(column => column.align ?? 'left'),
    chars: { ...NO_BORDER, ...RULE_UNDER_HEAD },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  })
  table.push(
    widths.map(n => '-'.repeat(n)),
    ...rows.map(folded)
  )
  return table
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}

const widthsOf = (columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] => {
  const widths = columns.map((column, i) => widest([column.title, ...rows.map(row => row[i] ?? '')]))
  let over = widths.reduce((sum, n) => sum + n, GAP * (widths.length - 1)) - width
  while (over > 0) {
    const text = widths.flatMap((n, i) => ((columns[i]!.align ?? 'left') === 'left' && n > NARROW ? [i] : []))
    if (text.length === 0) break
    const widestColumn = text.reduce((a, b) => (widths[b]! > widths[a]! ? b : a))
    widths[widestColumn]!--
    over--
  }
  return widths
}

/** Between words or after a comma where there is one, otherwise wherever it must be. */
const foldCell = (cell: string, width: number): string =>
  cell
    .split('\n')
    .flatMap(line => foldLine(line, width))
    .join('\n')

const foldLine = (line: string, width: number): string[] => {
  if (line.length <= width) return [line]
  const at = Math.max(line.lastIndexOf(' ', width), line.lastIndexOf(',', width - 1) + 1)
  const end = at > 0 ? at : width
  return [line.slice(0, end), ...foldLine(line.slice(end).trimStart(), width)]
}

const widest = (cells: readonly string[]): number =>
  Math.max(...cells.flatMap(cell => cell.split('\n')).map(line => line.length))
