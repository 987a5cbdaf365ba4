import { readFile, writeFile } from 'node:fs/promises'
import type { AttackRow } from './play-attack.ts'

const BEGIN = '<!-- attacks: made by npm run bench:attack -->'
const END = '<!-- /attacks -->'

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** As Markdown; the first columns are what was tried, the others what came of it. */
export const attackTable = (rows: readonly AttackRow[]): string => {
  const lines = rows.map(row =>
    [
      ...[`${row.name}: ${row.what}`, row.once || '-', row.tried],
      `${row.before} -> ${row.during.join(', ')} -> ${row.after}`,
      `${Math.max(0, row.memory).toFixed(0)} MB, ${(row.log / 1e3).toFixed(0)} KB`,
      row.faults.length === 0 ? ['held', ...row.notes].join('; ') : [...row.faults, ...row.notes].join('; ')
    ]
      .map(cell)
      .join(' | ')
  )
  return [
    '| attack | before there was a defence | tried | results in 5 s: before -> during -> after | memory, log | verdict |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines.map(line => `| ${line} |`)
  ].join('\n')
}

/** Between its marks. @throws Error where the page has none */
export const writeAttackTable = async (page: string, text: string): Promise<void> => {
  const before = await readFile(page, 'utf8')
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${page} has no ${BEGIN}`)
  await writeFile(page, `${before.slice(0, from + BEGIN.length)}\n\n${text}\n\n${before.slice(to)}`)
}
