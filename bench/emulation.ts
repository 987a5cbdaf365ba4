import '../src/core/promise-with-resolvers.ts'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emulateScenario } from '../src/cli/emulate/emulate-scenario.ts'
import { readScenario } from '../src/cli/scenario/read-scenario.ts'
import { createRng } from '../src/core/rng.ts'
import type { PolicyRun } from '../src/report/run-report.ts'
import { textTable } from '../src/report/text-table.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { randomScenario } from './random-scenario.ts'

// The same scenario files emulated by real processes and simulated, side by side. Budgets: throughput within 5 %, mean
// inference time within 8 %, where blocks were not late by more than 2 %: else the machine was too slow to say. `npm run bench -- emulation radio chain`: only these. The files are in bench/emulation.
// `npm run bench -- emulation random-1 random-2`: random networks of these seeds, random for the first ten.

const FOLDER = join(import.meta.dirname, '..', '..', 'bench', 'emulation')
const BUDGET = { throughput: 0.05, time: 0.08, lateness: 0.02 }

const words = process.argv.slice(2)
const RANDOM = /^random-\d+$/
const TEN = Array.from({ length: 10 }, (_, i) => `random-${i + 1}`)
const files = (await readdir(FOLDER)).filter(file => file.endsWith('.yaml')).sort()
const known = files.map(file => file.replace('.yaml', ''))
const names = words.length === 0 ? known : [...new Set(words.flatMap(word => (word === 'random' ? TEN : [word])))]
const strange = names.filter(name => !known.includes(name) && !RANDOM.test(name))
if (strange.length > 0) {
  process.stderr.write(`no scenario ${strange.join(', ')} in bench/emulation; random-N is one of that seed\n`)
  process.exit(2)
}
const scratch = await mkdtemp(join(tmpdir(), 'tributary-bench-emulation-'))
const abort = new AbortController()
process.once('SIGINT', () => abort.abort(new Error('stopped')))

const percent = (share: number): string => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(1)} %`
const meanTime = ({ sources }: PolicyRun): number => {
  const completed = sources.reduce((sum, source) => sum + source.completed, 0)
  return sources.reduce((sum, source) => sum + source.completed * source.inferenceTime.mean, 0) / completed
}

const rows: string[][] = []
try {
  for (const name of names) {
    const isRandom = RANDOM.test(name)
    const scenario = isRandom
      ? await randomScenario(name, createRng(name))
      : await readScenario(join(FOLDER, `${name}.yaml`))
    await mkdir(join(scratch, name))
    const { report } = await emulateScenario({
      scenario,
      policies: isRandom ? ['confluence'] : ['confluence', 'ms-mdi'],
      seed: 1,
      folder: join(scratch, name),
      clock: systemClock,
      signal: abort.signal,
      say: text => void (process.stderr.isTTY && process.stderr.write(`${name}: ${text}\n`)),
      againstSimulation: true,
      adapts: true,
      command: 'bench emulation'
    })
    for (const [i, emulated] of report.runs.entries()) {
      const simulated = report.simulated![i]!
      const [rate, time] = [
        emulated.throughput / simulated.throughput - 1,
        meanTime(emulated) / meanTime(simulated) - 1
      ]
      const isWithin = Math.abs(rate) <= BUDGET.throughput && Math.abs(time) <= BUDGET.time
      const isLate = (emulated.disturbance ?? 0) > BUDGET.lateness
      if (!isWithin && !isLate) process.exitCode = 1
      const row = [
        i === 0 ? name : '',
        emulated.policy,
        `${emulated.throughput.toFixed(1)}/s`,
        `${simulated.throughput.toFixed(1)}/s`,
        percent(rate),
        `${(1000 * meanTime(emulated)).toFixed(0)} ms`,
        `${(1000 * meanTime(simulated)).toFixed(0)} ms`,
        percent(time),
        percent(emulated.disturbance ?? 0),
        `${emulated.sources.reduce((sum, source) => sum + source.lost, 0)}`,
        isLate ? 'machine late' : isWithin ? '' : 'outside'
      ]
      // At once: what comes later may fail.
      process.stderr.write(`${row.join(' | ')}\n`)
      rows.push(row)
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
}
const head = [
  'scenario',
  'policy',
  'emulated',
  'simulated',
  '',
  'mean time',
  'simulated',
  '',
  'blocks late',
  'lost',
  ''
]
process.stdout.write(
  `${textTable(
    head.map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' })),
    rows
  )}\nbudgets: throughput within 5 %, mean inference time within 8 %, where blocks are late by 2 % at most\n`
)
