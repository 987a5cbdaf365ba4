import { textTable } from '../../src/report/text-table.ts'
import type { PublishedResult } from './published-results.ts'
import type { PublishedRow } from './published-row.ts'

const WIDTH = 80
const COLUMNS = ['name', 'published', 'ours', 'unit', 'deviation', 'limit', 'ok'].map((title, i) => ({
  title,
  align: i === 0 || i === 3 || i === 6 ? ('left' as const) : ('right' as const)
}))

/** A table for each source, with why ours is another number where we know it. */
export const describeRows = (rows: readonly PublishedRow[], results: readonly PublishedResult[]): string =>
  [...new Set(rows.map(({ source }) => source))]
    .map(source => {
      const own = rows.filter(row => row.source === source)
      const of = (row: PublishedRow): PublishedResult => results.find(({ name }) => name === row.name)!
      const table = textTable(
        COLUMNS,
        own.map(row => cells(row, of(row)))
      )
      const reasons = [...new Set(own.flatMap(row => of(row).because ?? []))].map(because => {
        const about = own.filter(row => of(row).because === because).map(({ name }) => name)
        return wrapped(`${about.join(', ')}: ${because}.`)
      })
      return [wrapped(source), '', table, ...reasons].join('\n')
    })
    .join('\n\n')

const cells = (row: PublishedRow, { unit, limit }: PublishedResult): string[] => [
  row.name,
  typeof limit === 'string' && row.published === 1 ? '< 1' : digits(row.published),
  digits(row.ours),
  unit,
  percent(row.deviation),
  limit === 'none' ? 'none' : limit === 'direction' ? '< 1' : `±${percent(limit)}`,
  row.ok ? 'yes' : limit === 'none' ? 'no*' : 'NO'
]

const digits = (value: number): string => String(Number(value.toPrecision(6)))

const percent = (share: number): string => {
  const value = Math.abs(share) < 5e-6 ? 0 : 100 * share
  const size = Math.abs(value)
  return `${size >= 10 ? value.toFixed(0) : size >= 0.1 ? value.toFixed(1) : value.toFixed(3)} %`
}

const wrapped = (text: string): string => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last !== '' && last.length + 1 + word.length > WIDTH) lines.push(`  ${word}`)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.join('\n')
}
