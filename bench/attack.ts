import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { nearest } from '../src/core/nearest.ts'
import { UserError } from '../src/core/user-error.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { allAttacks } from './attack/all-attacks.ts'
import type { Attack } from './attack/attack.ts'
import { attackTable, writeAttackTable } from './attack/attack-table.ts'
import { AttackedClusters } from './attack/attacked-clusters.ts'
import { makeData, openHonestCluster, RATE } from './attack/honest-cluster.ts'
import { type AttackRow, isTooBusy, playAttack, WINDOW } from './attack/play-attack.ts'
import { playInTurn, QUICK_DURATION } from './attack/play-in-turn.ts'

// Every attack that this program knows, one after the other against a cluster of four real processes with an honest source, a new
// one after each attack that does not hold: `npm run bench:attack`, some half an hour; `-- NAME...` those
// whose names begin so; `-- --seconds N` how long each lasts; `-- --json` rows as one document; `-- --quick` what `npm test` plays; `-- --write` the table into
// docs/security.md. Exit 1 when one does not hold.

const PAGE = fileURLToPath(new URL('../../docs/security.md', import.meta.url))
const ATTACKS = allAttacks()
/** Seconds for each attack beyond its duration: until it begins, and while the cluster recovers. */
const SPARE = 120

const chosen = (words: readonly string[]): readonly Attack[] => {
  for (const word of words) {
    if (ATTACKS.some(({ name }) => name.startsWith(word))) continue
    const names = ATTACKS.map(({ name }) => name)
    const near = nearest(word, names)
    throw new UserError(
      `there is no attack "${word}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${names.join(', ')})`
    )
  }
  return words.length === 0 ? ATTACKS : ATTACKS.filter(({ name }) => words.some(word => name.startsWith(word)))
}

const secondsOf = (words: readonly string[]): number => {
  const at = words.indexOf('--seconds')
  if (at < 0) return 3 * WINDOW
  const time = Number(words[at + 1])
  if (time >= WINDOW && time <= 600) return time
  throw new UserError(`--seconds takes a number from ${WINDOW} to 600, not "${words[at + 1] ?? ''}"`)
}

/** What `npm test` plays of them. */
const playQuick = async (): Promise<void> => {
  const quick = ATTACKS.filter(({ isQuick = false }) => isQuick)
  const data = await makeData(3 * SPARE * RATE)
  try {
    await using cluster = await openHonestCluster(data, [])
    const begun = systemClock.now()
    const tell = (name: string): boolean =>
      process.stderr.write(`${(systemClock.now() - begun).toFixed(1)} s: ${name}\n`)
    const { faults } = await playInTurn(quick, cluster, QUICK_DURATION, tell)
    tell(faults.length === 0 ? 'all hold' : faults.join('\n'))
    if (faults.length > 0) process.exitCode = 1
  } finally {
    await rm(data.folder, { recursive: true, force: true })
  }
}

const main = async (words: readonly string[]): Promise<void> => {
  if (words.includes('--quick')) return playQuick()
  const duration = secondsOf(words)
  const at = words.indexOf('--seconds')
  const names = words.filter((word, i) => !word.startsWith('--') && (at < 0 || i !== at + 1))
  const attacks = chosen(names)
  const data = await makeData(attacks.length * (duration + SPARE) * RATE)
  const rows: AttackRow[] = []
  try {
    await using clusters = new AttackedClusters(data)
    for (const attack of attacks) {
      const row = await playAttack(attack, await clusters.of(attack), duration)
      if (attack.isLast === true || (row.faults.length > 0 && !isTooBusy(row))) await clusters.close()
      rows.push(row)
      const verdict = row.faults.length === 0 ? 'holds' : row.faults.join('; ')
      process.stderr.write(
        `${row.name}: ${row.tried}; ${row.before} -> ${row.during.join(', ')} -> ${row.after}; ${verdict}\n`
      )
    }
  } finally {
    await rm(data.folder, { recursive: true, force: true })
  }
  process.stdout.write(words.includes('--json') ? `${JSON.stringify(rows)}\n` : `${attackTable(rows)}\n`)
  if (words.includes('--write')) {
    const names = ATTACKS.map(({ name }) => name)
    await writeAttackTable(PAGE, rows, names)
  }
  if (rows.some(({ faults }) => faults.length > 0)) process.exitCode = 1
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof UserError ? error.message : String((error as Error).stack)}\n`)
  process.exitCode = error instanceof UserError ? 2 : 1
})
