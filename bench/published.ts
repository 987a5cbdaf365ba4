import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatSeconds } from '../src/core/format-quantity.ts'
import { nearest } from '../src/core/nearest.ts'
import { UserError } from '../src/core/user-error.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { describeRows } from './published/describe-rows.ts'
import { PUBLISHED_RESULTS, type PublishedResult } from './published/published-results.ts'
import { isBroken, type PublishedRow, publishedRow } from './published/published-row.ts'
import { ScenarioFacts } from './published/scenario-facts.ts'

// What others have published, on scenarios that stand for their experiments: `npm run bench:published`, all in about a minute;
// `-- pipeedge` those whose name begins so; `-- --json` as one document. Exit 1 when a number is beyond its limit.

const SCENARIOS = fileURLToPath(new URL('../../scenarios/', import.meta.url))

const chosen = (words: readonly string[]): readonly PublishedResult[] => {
  const names = PUBLISHED_RESULTS.map(({ name }) => name)
  for (const word of words) {
    if (names.some(name => name.startsWith(word))) continue
    const near = nearest(word, names)
    throw new UserError(
      `there is no published result "${word}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${names.join(', ')})`
    )
  }
  const isMeant = (name: string): boolean =>
    words.length === 0 || words.some(word => name === word || (!names.includes(word) && name.startsWith(word)))
  return PUBLISHED_RESULTS.filter(({ name }) => isMeant(name))
}

const rowsOf = async (results: readonly PublishedResult[]): Promise<PublishedRow[]> => {
  const rows: PublishedRow[] = []
  const known = new Map<string, ScenarioFacts>()
  for (const result of results) {
    const start = systemClock.now()
    const facts = known.get(result.scenario) ?? (await ScenarioFacts.read(join(SCENARIOS, result.scenario)))
    known.set(result.scenario, facts)
    rows.push(publishedRow(result, result.measure(facts)))
    process.stderr.write(`${result.name}: ${formatSeconds(systemClock.now() - start)}\n`)
  }
  return rows
}

const main = async (words: readonly string[]): Promise<number> => {
  const flag = words.find(word => word.startsWith('-') && word !== '--' && word !== '--json')
  if (flag !== undefined) throw new UserError(`unknown option "${flag}"; there is --json, and names of results`)
  const results = chosen(words.filter(word => !word.startsWith('-')))
  const rows = await rowsOf(results)
  const broken = rows.filter(isBroken)
  if (words.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`)
  else {
    const unclaimed = rows.filter(({ limit, ok }) => limit === null && !ok)
    process.stdout.write(`${describeRows(rows, results)}\n`)
    if (unclaimed.length > 0) process.stdout.write('\n* we do not agree, say why, and claim nothing\n')
  }
  if (broken.length > 0) process.stderr.write(`beyond the limit: ${broken.map(({ name }) => name).join(', ')}\n`)
  return broken.length > 0 ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
