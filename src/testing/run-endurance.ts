import '../core/promise-with-resolvers.ts'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emulateScenario } from '../cli/emulate/emulate-scenario.ts'
import { parseScenario } from '../core/scenario.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { checkResults } from './check-results.ts'
import type { EnduranceReport } from './endurance-report.ts'
import { enduranceScenario } from './endurance-scenario.ts'
import { ProcessWatch, slopeOf } from './process-watch.ts'

// A bad day in a process of its own: `node run-endurance.js SEED SECONDS EACH`. Prints what came of it as JSON; EACH: of how
// many results one is compared with the whole model.

const [word = 'seed', duration = '60', each = '10'] = process.argv.slice(2)
/**
 * A process needs so many seconds until its memory has settled (V8 shrinks its new space in the second minute and has
 * grown it again, by 12 MB, before the fourth is over); a slope says something after the second number.
 */
const SETTLED = 240
const LONG_LIFE = 600

/** Longer than an invitation, which is the longest thing that anybody has to copy. */
const LONGEST_LINE = 400
const isOdd = (line: string): boolean =>
  line.length > LONGEST_LINE || /\bundefined\b|\bNaN\b|\[object |^\s+at .*:\d+:\d+\)?$/.test(line)

const scenario = parseScenario(enduranceScenario(word, Number(duration)), 'endurance')
const folder = await mkdtemp(join(tmpdir(), 'tributary-endurance-'))
const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error('stopped')))
const watch = new ProcessWatch()
const looking = setInterval(() => watch.look(systemClock.now()), 2000)
try {
  const { report, models, emulated } = await emulateScenario({
    scenario,
    policies: ['confluence'],
    seed: 1,
    folder,
    clock: systemClock,
    signal: abort.signal,
    say: text => void process.stderr.write(`${text}\n`),
    againstSimulation: false,
    adapts: true,
    command: 'endurance'
  })
  clearInterval(looking)
  const { results } = emulated[0]!
  const run = report.runs[0]!
  const logs = join(folder, 'confluence')
  const texts = await Promise.all(
    (await readdir(logs))
      .filter(file => file.endsWith('.log'))
      .map(async file => (await readFile(join(logs, file), 'utf8')).split('\n'))
  )
  const ended: EnduranceReport = {
    asked: scenario.sources.map(({ name, count }) => ({ name, count })),
    completed: run.sources.map(({ name, completed }) => ({ name, count: completed })),
    /** Lines of the sinks beyond one for each datum. */
    twice: run.sources.reduce((sum, { completed }) => sum + completed, 0) - results.size,
    ...(await checkResults({ scenario, models, seed: 1, results, each: Number(each) })),
    because: run.because ?? '',
    weightsMoved: run.weightsMoved ?? 0,
    events: scenario.events.length,
    logLines: Math.max(...texts.map(lines => lines.length)),
    oddLines: texts.flat().filter(isOdd).slice(0, 5),
    left: new ProcessWatch().look(systemClock.now()),
    processes: watch.lives().flatMap(life => {
      const [first, last] = [life.samples[0]!, life.samples.at(-1)!]
      const lived = last.at - first.at
      const slopes =
        lived < LONG_LIFE
          ? {}
          : { megabytesPerMinute: slopeOf(life, 'megabytes', SETTLED), filesPerMinute: slopeOf(life, 'files', SETTLED) }
      const mostMegabytes = life.samples.reduce((most, { megabytes }) => Math.max(most, megabytes), 0)
      return [{ name: life.name, lived, megabytes: last.megabytes, mostMegabytes, files: last.files, ...slopes }]
    })
  }
  process.stdout.write(`${JSON.stringify(ended)}\n`)
} finally {
  clearInterval(looking)
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
