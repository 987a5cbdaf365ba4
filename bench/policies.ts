import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createArrivals } from '../src/core/arrivals.ts'
import { createRng } from '../src/core/rng.ts'
import type { CapacityProblem } from '../src/planner/capacity-problem.ts'
import type { Plan } from '../src/planner/plan.ts'
import { renderFigure } from '../src/report/render-figure.ts'
import { textTable } from '../src/report/text-table.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../src/scheduler/policies.ts'
import { simulate } from '../src/simulator/simulate.ts'
import { policyPlacement } from '../src/studies/policy-placement.ts'
import { answerIn, eachInThreads } from './each-in-threads.ts'
import { judge } from './judge.ts'
import { average, geometric } from './means.ts'
import { networkNames, plannedNetwork } from './planned-network.ts'
import { type SuiteValue, suiteFigure } from './suite-figure.ts'

// The random suite of DESIGN section 10: every policy on the same networks, saturated, and at 30, 60 and 85 % of what the
// planner says they can serve. `npm run bench:policies` runs all; `-- 40` forty networks of each kind; `-- memory-17` one again.

const NETWORKS = 100
const LOADS = [0.3, 0.6, 0.85]
const SATURATED = { count: 800, window: 32 }
const LOADED = { count: 300, window: 1000 }

type Kind = 'free' | 'memory'

interface PolicyResult {
  /** Fraction of the capacity bound of the placement, saturated; undefined: it cannot run here. */
  readonly fraction: number | undefined
  /** Mean inference time at each load. */
  readonly times: readonly (number | undefined)[]
}

interface NetworkResult {
  readonly name: string
  readonly about: string
  readonly gap: number
  readonly policies: Readonly<Record<PolicyName, PolicyResult>>
}

const runPolicy = (name: string, problem: CapacityProblem, found: Plan, policy: PolicyName): PolicyResult => {
  const table = policyPlacement(problem, { kind: 'plan', plan: found }, policy)
  const run = (feed: { readonly count: number; readonly window: number }, load?: number) =>
    simulate({
      ...problem,
      sources: problem.sources.map((source, s) => ({
        ...source,
        ...feed,
        weight: 1,
        availableAt:
          load === undefined
            ? undefined
            : createArrivals({ kind: 'poisson', rate: load * found.predicted.scale }, createRng(`${name} ${load} ${s}`))
      })),
      carries: table.carries,
      policy: POLICIES[policy]
    })
  const isWhole = ({ sources }: ReturnType<typeof run>): boolean => sources.every(({ stuck }) => stuck === undefined)
  const saturated = run(SATURATED)
  if (!isWhole(saturated)) return { fraction: undefined, times: LOADS.map(() => undefined) }
  const times = LOADS.map(load => {
    const { sources } = run(LOADED, load)
    return average(sources.flatMap(({ results }) => results.map(r => r.completedAt - r.availableAt)))
  })
  return { fraction: SATURATED.count / found.predicted.scale / saturated.makespan, times }
}

const runNetwork = async (name: string): Promise<NetworkResult> => {
  const { problem, found } = await plannedNetwork(name)
  const about = `${problem.devices.length} devices, ${problem.sources.length} sources${problem.links[0]?.medium === undefined ? '' : ', radio'}`
  const results = POLICY_NAMES.map(policy => [policy, runPolicy(name, problem, found, policy)] as const)
  return { name, about, gap: found.gap, policies: Object.fromEntries(results) as NetworkResult['policies'] }
}

/** How often the best policy's time the policy takes, in one network at one load. */
const ratioToBest = ({ policies }: NetworkResult, policy: PolicyName, load: number): number | undefined => {
  const best = Math.min(...POLICY_NAMES.map(name => policies[name].times[load] ?? Number.POSITIVE_INFINITY))
  const own = policies[policy].times[load]
  return own === undefined ? undefined : own / best
}

/** Confluence's throughput, saturated, as a ratio to the best other policy's in one network. */
const ratioToBestOther = ({ policies }: NetworkResult): { readonly rival: PolicyName; readonly ratio: number } => {
  const own = policies.confluence.fraction!
  const rivals = POLICY_NAMES.filter(name => name !== 'confluence' && policies[name].fraction !== undefined)
  const rival = rivals.reduce((a, b) => (policies[b].fraction! > policies[a].fraction! ? b : a))
  return { rival, ratio: own / policies[rival].fraction! }
}

const known = (values: readonly (number | undefined)[]): number[] => values.filter(value => value !== undefined)

const describeKind = (title: string, results: readonly NetworkResult[]): string => {
  const rows = POLICY_NAMES.map(policy => {
    const fractions = known(results.map(({ policies }) => policies[policy].fraction))
    if (fractions.length === 0) return [policy, 'cannot run', '', '', '', '']
    const times = LOADS.map((_, load) => known(results.map(result => ratioToBest(result, policy, load))))
    return [
      fractions.length === results.length ? policy : `${policy} (${fractions.length} of ${results.length})`,
      average(fractions).toFixed(3),
      Math.min(...fractions).toFixed(3),
      ...times.map(ratios => `${geometric(ratios).toFixed(2)} (${Math.max(...ratios).toFixed(2)})`)
    ]
  })
  const head = ['policy', 'of bound, mean', 'worst', 'time at 30 %', 'at 60 %', 'at 85 %']
  return `${title}\n${textTable(
    head.map((column, i) => ({ title: column, align: i === 0 ? 'left' : 'right' })),
    rows
  )}`
}

const worstOf = (results: readonly NetworkResult[]): string => {
  const lowest = results.toSorted((a, b) => a.policies.confluence.fraction! - b.policies.confluence.fraction!)
  const rivals = ['ddi', 'local', 'ms-mdi', 'ar-mdi'] as const
  const losses = results.map(result => ({ result, ...ratioToBestOther(result) })).sort((a, b) => a.ratio - b.ratio)
  const slow = results
    .flatMap(result => LOADS.map((at, load) => ({ result, at, ratio: ratioToBest(result, 'confluence', load)! })))
    .sort((a, b) => b.ratio - a.ratio)
  return [
    'confluence, furthest from the bound:',
    ...lowest.slice(0, 5).map(({ name, about, policies, gap }) => {
      const others = rivals.map(rival => `${rival} ${policies[rival].fraction?.toFixed(3) ?? '-'}`).join(', ')
      return `  ${name}: ${policies.confluence.fraction!.toFixed(3)} (${about}, placement ${(100 * gap).toFixed(1)} % below its bound; ${others})`
    }),
    'confluence against the best other policy in throughput, worst:',
    ...losses.slice(0, 5).map(({ result, rival, ratio }) => `  ${result.name}: ${ratio.toFixed(3)} of ${rival}`),
    "confluence's mean time against the best policy's, worst:",
    ...slow
      .slice(0, 5)
      .map(({ result, at, ratio }) => `  ${result.name} at ${100 * at} %: ${ratio.toFixed(2)} (${result.about})`)
  ].join('\n')
}

const main = async (): Promise<void> => {
  const [word = String(NETWORKS), out] = process.argv.slice(2)
  const names = networkNames(word)
  if (names.length === 1) {
    process.stdout.write(`${JSON.stringify(await runNetwork(word), undefined, 2)}
`)
    return
  }
  const kinds: Kind[] = ['free', 'memory']
  const start = systemClock.now()
  const results = await eachInThreads<NetworkResult>(fileURLToPath(import.meta.url), 'policies', names)
  const of = (kind: Kind): NetworkResult[] => results.filter(({ name }) => name.startsWith(kind))
  process.stdout.write(
    `${[
      `${names.length} random networks, every policy; fractions of the capacity bound when saturated; mean inference time as geometric mean of the ratio to the best policy (worst)`,
      '',
      describeKind('every block everywhere', of('free')),
      '',
      describeKind('memory for 40-80 % of the model', of('memory')),
      '',
      worstOf(results),
      '',
      ...kinds.map(kind => judged(kind, of(kind))),
      `took ${(systemClock.now() - start).toFixed(0)} s`
    ].join('\n')}\n`
  )
  if (out !== undefined) {
    await writeFile(out, JSON.stringify(results))
    await writeFile(`${out}.svg`, await renderFigure(suiteFigure(suiteValues(results))))
  }
}

/** Confluence against its budgets. Those of fractions are for whole suites: fewer networks have other worst ones. */
const judged = (kind: Kind, results: readonly NetworkResult[]): string => {
  const fractions = known(results.map(({ policies }) => policies.confluence.fraction))
  const [mean, worst] = kind === 'free' ? [0.985, 0.95] : [0.975, 0.92]
  const ratios = LOADS.flatMap((_, load) => known(results.map(result => ratioToBest(result, 'confluence', load))))
  const toOthers = results.map(result => ratioToBestOther(result).ratio)
  const shown = (value: number): string => value.toFixed(3)
  return [
    judge(`${kind}: fraction of the bound, mean`, shown(average(fractions)), average(fractions), { atLeast: mean }),
    judge(`${kind}: fraction of the bound, worst`, shown(Math.min(...fractions)), Math.min(...fractions), {
      atLeast: worst
    }),
    judge(`${kind}: throughput to the best other, mean`, shown(average(toOthers)), average(toOthers), { atLeast: 1 }),
    judge(`${kind}: throughput to the best other, worst`, shown(Math.min(...toOthers)), Math.min(...toOthers), {
      atLeast: 0.97
    }),
    judge(`${kind}: time to the best, mean`, shown(geometric(ratios)), geometric(ratios), { atMost: 1.04 }),
    judge(`${kind}: time to the best, worst`, shown(Math.max(...ratios)), Math.max(...ratios), { atMost: 1.5 })
  ].join('')
}

/** Mean and worst fraction of the bound for every policy, both kinds of networks side by side. */
const suiteValues = (results: readonly NetworkResult[]): SuiteValue[] => {
  const kinds = [
    ['free', 'every block everywhere'],
    ['memory', 'memory for 40-80 % of the model']
  ] as const
  return kinds.flatMap(([kind, title]) =>
    POLICY_NAMES.flatMap(policy => {
      const own = results.filter(({ name }) => name.startsWith(kind))
      const fractions = known(own.map(({ policies }) => policies[policy].fraction))
      return fractions.length === 0 ? [] : [{ title, policy, mean: average(fractions), worst: Math.min(...fractions) }]
    })
  )
}

if (!answerIn('policies', runNetwork)) await main()
