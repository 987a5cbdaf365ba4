import '../src/core/promise-with-resolvers.ts'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EmulatedRun } from '../src/cli/emulate/emulate-policy.ts'
import { emulateScenario } from '../src/cli/emulate/emulate-scenario.ts'
import { emulatedPlacement } from '../src/cli/emulate/emulated-placement.ts'
import { formatBytes } from '../src/core/format-quantity.ts'
import { parseScenario, type Scenario } from '../src/core/scenario.ts'
import type { PolicyRun } from '../src/report/run-report.ts'
import { textTable } from '../src/report/text-table.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { modelProfiles } from '../src/studies/model-profiles.ts'
import { planScenario } from '../src/studies/planned-scenario.ts'
import { policyPlacement } from '../src/studies/policy-placement.ts'
import { simulatePolicy } from '../src/studies/simulate-policy.ts'
import { recovery } from './recovery.ts'
import { VARIANTS, type Variant } from './variants.ts'

// What a change in mid-run does to throughput, simulated and emulated: `confluence`, the same with adaptation off (costs,
// rates and placement stay as they were), `ar-mdi`. Before: the eight seconds until the change. 90 % of bound: how long
// until a window of two seconds has that much of what the planner says the changed network can serve, while every source
// has data. After: from six to fourteen seconds after the change; back: from six to twelve seconds after the device came
// back. `npm run bench -- adaptation`; `-- adaptation slow-worker simulated` for one, or one kind.

const CHANGE = 12
const BACK = 26
/** So long would the data of a source last if nothing changed. */
const LENGTH = 38

/** Four devices, two of them with a source; each has room for half of the model. */
const BASE = {
  devices: {
    porch: { speed: 0.15, memory: '6MiB' },
    shed: { speed: 0.4, memory: '6MiB' },
    attic: { speed: 0.3, memory: '6MiB' },
    yard: { speed: 0.3, memory: '6MiB' }
  },
  links: { topology: 'full', default: { bandwidth: '50Mbps', latency: '2ms' } },
  models: {
    m: {
      blocks: [12, 12, 12, 12, 12, 12].map(work => ({ work: `${work}ms`, weights: '2MiB' })),
      activations: ['150KB', '120KB', '90KB', '80KB', '60KB', '50KB', '4KB']
    }
  },
  sources: [
    { name: 'cam', device: 'porch', model: 'm', count: 5000, window: 16 },
    { name: 'door', device: 'attic', model: 'm', count: 5000, window: 16 }
  ]
}

interface Change {
  readonly name: string
  readonly scenario: unknown
  /** The network after the change, for its bound. */
  readonly after: unknown
}

const devicesWith = (over: Record<string, unknown>): unknown => ({ ...BASE.devices, ...over })
const { yard: _, ...withoutYard } = BASE.devices
const third = { name: 'gate', device: 'yard', model: 'm', count: 5000, window: 16 }
/** Where a link can be cut that matters: the others are reached through one device. */
const STAR = { topology: 'star:shed', default: { bandwidth: '50Mbps', latency: '2ms' } }
const CHANGES: readonly Change[] = [
  {
    name: 'slow-worker',
    scenario: { ...BASE, events: [{ at: `${CHANGE}s`, device: 'shed', speed: 0.1 }] },
    after: { ...BASE, devices: devicesWith({ shed: { speed: 0.1, memory: '6MiB' } }) }
  },
  {
    name: 'cut-link',
    scenario: { ...BASE, links: STAR, events: [{ at: `${CHANGE}s`, link: 'porch->shed', bandwidth: '5Mbps' }] },
    after: { ...BASE, links: { ...STAR, pairs: [{ from: 'porch', to: 'shed', bandwidth: '5Mbps', both: false }] } }
  },
  {
    name: 'device-lost',
    scenario: {
      ...BASE,
      events: [
        { at: `${CHANGE}s`, device: 'yard', leaves: 'kill' },
        { at: `${BACK}s`, device: 'yard', joins: true }
      ]
    },
    after: { ...BASE, devices: withoutYard }
  },
  {
    name: 'source-added',
    scenario: {
      ...BASE,
      sources: [...BASE.sources, third],
      events: [{ at: `${CHANGE}s`, device: 'yard', joins: true }]
    },
    after: { ...BASE, sources: [...BASE.sources, third] }
  }
]

interface Outcome {
  readonly run: PolicyRun
  /** Of a cluster, when its run began. */
  readonly placement?: EmulatedRun['placement']
  /** When each result was home, by source, seconds from the start. */
  readonly ends: readonly (readonly number[])[]
  /** Results beyond the first of their datum. */
  readonly twice: number
}

const abort = new AbortController()
process.once('SIGINT', () => abort.abort(new Error('stopped')))

const planOf = async (scenario: Scenario) => {
  const profiles = await modelProfiles(scenario, () => {})
  return { profiles, ...(await planScenario(scenario, profiles)) }
}

/** Results per second, of all sources together, that the planner says can be served. */
const boundOf = async (description: unknown): Promise<number> => {
  const { outcome, problem } = await planOf(parseScenario(description, 'bench'))
  return outcome.kind === 'plan' ? outcome.plan.upper * problem.sources.length : Number.NaN
}

/** With the placement that the cluster began with, if there was one. */
const simulated = async (
  scenario: Scenario,
  { policy, adapts }: Variant,
  placement: Outcome['placement']
): Promise<Outcome> => {
  const { profiles, problem, outcome, place } = await planOf(scenario)
  const table =
    placement === undefined
      ? policyPlacement(problem, outcome, policy)
      : emulatedPlacement(scenario, profiles, problem, { placement })
  const { run, results } = simulatePolicy({ scenario, profiles, policy, seed: 1, table, adapts, place })
  const twice = results.reduce((sum, of) => sum + of.length - new Set(of.map(({ datum }) => datum)).size, 0)
  return { run, ends: results.map(of => of.map(({ completedAt }) => completedAt)), twice }
}

const emulated = async (scenario: Scenario, { policy, adapts }: Variant, folder: string): Promise<Outcome> => {
  await mkdir(folder, { recursive: true })
  const { report, data, emulated } = await emulateScenario({
    scenario,
    policies: [policy],
    seed: 1,
    folder,
    clock: systemClock,
    signal: abort.signal,
    say: text => void (process.stderr.isTTY && process.stderr.write(`${text}\n`)),
    againstSimulation: false,
    adapts,
    command: 'bench adaptation',
    traceFile: join(folder, 'trace.json')
  })
  const ends = scenario.sources.map(({ name }) =>
    data.flatMap(({ source, end }) => (source !== name || end === undefined ? [] : [end]))
  )
  const run = report.runs[0]!
  // A result that came home twice would be one line too many in the sink.
  const twice = run.sources.reduce((sum, { completed }) => sum + completed, 0) - ends.flat().length
  return { run, placement: emulated[0]!.placement, ends, twice }
}

const rateIn = (ends: readonly number[], from: number, to: number): number =>
  ends.filter(end => end >= from && end < to).length / (to - from)

const rowOf = ({ run, ends: each, twice }: Outcome, bound: number, isBack: boolean): string[] => {
  const ends = each.flat()
  const next = isBack ? BACK : Number.POSITIVE_INFINITY
  const recovered = recovery({ ends: each, bound, change: CHANGE, next })
  const rate = (from: number, to: number): string => rateIn(ends, from, to).toFixed(1)
  const lost = run.sources.reduce((sum, source) => sum + source.lost, 0)
  return [
    rate(CHANGE - 8, CHANGE),
    rate(CHANGE, CHANGE + 4),
    recovered === undefined ? 'never' : `${recovered.toFixed(1)} s`,
    rate(CHANGE + 6, CHANGE + 14),
    (each.length * Math.min(...each.map(of => rateIn(of, CHANGE + 6, CHANGE + 14)))).toFixed(1),
    isBack ? rate(BACK + 6, BACK + 12) : '',
    bound.toFixed(1),
    `${lost}`,
    `${twice}`,
    formatBytes(run.weightsMoved ?? 0)
  ]
}

const words = process.argv.slice(2)
const chosen = (name: string, all: readonly string[]): boolean =>
  !words.some(word => all.includes(word)) || words.includes(name)
const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-adaptation-'))
const rows: string[][] = []
try {
  const before = await boundOf(BASE)
  for (const { name, scenario: description, after } of CHANGES) {
    if (
      !chosen(
        name,
        CHANGES.map(change => change.name)
      )
    )
      continue
    const bound = await boundOf(after)
    const parsed = parseScenario(description, name)
    const count = Math.round((before / BASE.sources.length) * LENGTH)
    const scenario = { ...parsed, sources: parsed.sources.map(source => ({ ...source, count })) }
    for (const variant of VARIANTS) {
      let placement: Outcome['placement']
      for (const kind of ['emulated', 'simulated']) {
        if (!chosen(kind, ['emulated', 'simulated'])) continue
        const place = join(folder, `${name}-${variant.name.replaceAll(/\W+/g, '-')}`)
        const outcome =
          kind === 'emulated' ? await emulated(scenario, variant, place) : await simulated(scenario, variant, placement)
        placement = outcome.placement
        rows.push([name, variant.name, kind, ...rowOf(outcome, bound, name === 'device-lost')])
        process.stderr.write(`${rows.at(-1)!.join(' | ')}\n`)
      }
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
const head = [
  ...['change', 'policy', '', 'before', 'first 4 s', '90 % of bound', 'after', 'if all were as the slowest source'],
  ...['back', 'new bound', 'lost', 'twice', 'moved']
]
process.stdout.write(
  `results a second; the change is at ${CHANGE} s\n${textTable(
    head.map((title, i) => ({ title, align: i < 3 ? 'left' : 'right' })),
    rows
  )}\n`
)
