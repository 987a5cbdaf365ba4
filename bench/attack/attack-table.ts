import { readFile, writeFile } from 'node:fs/promises'
import type { AttackRow } from './play-attack.ts'

const BEGIN = '<!-- attacks: made by npm run bench:attack -->'
const END = '<!-- /attacks -->'

const HEAD = [
  '| attack | before there was a defence | tried | results in 5 s: before -> during -> after | processors | memory, log | verdict |',
  '| --- | --- | --- | --- | --- | --- | --- |'
]

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const percent = (share: number): string => `${Math.round(100 * share)} %`

const lineOf = (row: AttackRow): string => {
  const cells = [
    ...[`**${row.name}**: ${row.what}`, row.once || '-', row.tried],
    `${row.before} -> ${row.during.join(', ')} -> ${row.after}`,
    `${percent(row.busy.before)} -> ${percent(row.busy.during)}`,
    `${Math.max(0, row.memory).toFixed(0)} MB, ${(row.log / 1e3).toFixed(0)} KB`,
    [...(row.faults.length === 0 ? ['held'] : row.faults), ...row.notes].join('; ')
  ]
  return `| ${cells.map(cell).join(' | ')} |`
}

/** As Markdown; the first columns are what was tried, the others what came of it. */
export const attackTable = (rows: readonly AttackRow[]): string => [...HEAD, ...rows.map(lineOf)].join('\n')

const nameIn = (line: string): string | undefined => /^\| \*\*(.*?)\*\*: /.exec(line)?.[1]

/**
 * Between its marks: what was played now takes the place of what was played before, and the rest stays.
 * @param names of all attacks that there are, in their order
 * @throws Error where the page has no marks
 */
export const writeAttackTable = async (
  page: string,
  rows: readonly AttackRow[],
  names: readonly string[]
): Promise<void> => {
  const text = await readFile(page, 'utf8')
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)]
  if (from < BEGIN.length || to < from) throw new Error(`${page} has no ${BEGIN}`)
  const lines = new Map<string, string>()
  for (const line of text.slice(from, to).split('\n')) {
    const name = nameIn(line)
    if (name !== undefined) lines.set(name, line)
  }
  for (const row of rows) lines.set(row.name, lineOf(row))
  const table = [...HEAD, ...names.flatMap(name => lines.get(name) ?? [])].join('\n')
  await writeFile(page, `${text.slice(0, from)}\n\n${table}\n\n${text.slice(to)}`)
}
