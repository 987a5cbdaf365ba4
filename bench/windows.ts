import { fileURLToPath } from 'node:url'
import type { Window } from '../src/core/window.ts'
import { textTable } from '../src/report/text-table.ts'
import { POLICIES } from '../src/scheduler/policies.ts'
import { simulate } from '../src/simulator/simulate.ts'
import { policyPlacement } from '../src/studies/policy-placement.ts'
import { answerIn, eachInThreads } from './each-in-threads.ts'
import { judge } from './judge.ts'
import { average } from './means.ts'
import { networkNames, plannedNetwork } from './planned-network.ts'

// Windows that find their measure beside fixed ones: the random suite, saturated, confluence. The best fixed window of a network is
// the least with 99 % of the most that any fixed one serves. `npm run bench -- windows 20`: twenty networks of each kind.

const NETWORKS = 100
const COUNT = 3000
const FIXED = [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32]
const ENOUGH = 0.99

interface Run {
  readonly window: Window
  /** Results per second, and mean inference time in seconds. */
  readonly rate: number
  readonly time: number
}

interface NetworkResult {
  readonly name: string
  readonly sources: number
  readonly auto: Run
  readonly fixed: readonly Run[]
}

const runNetwork = async (name: string): Promise<NetworkResult> => {
  const { problem, found } = await plannedNetwork(name)
  const { carries } = policyPlacement(problem, { kind: 'plan', plan: found }, 'confluence')
  const run = (window: Window): Run => {
    const feed = { count: COUNT, window, weight: 1, availableAt: undefined }
    const sources = problem.sources.map(source => ({ ...source, ...feed }))
    const output = simulate({ ...problem, sources, carries, policy: POLICIES.confluence })
    const times = output.sources.flatMap(({ results }) => results.map(r => r.completedAt - r.availableAt))
    return { window, rate: times.length / output.makespan, time: average(times) }
  }
  return { name, sources: problem.sources.length, auto: run('auto'), fixed: FIXED.map(run) }
}

const most = ({ fixed }: NetworkResult): number => Math.max(...fixed.map(({ rate }) => rate))

const best = (result: NetworkResult): Run => result.fixed.find(({ rate }) => rate >= ENOUGH * most(result))!

/** Beside the best fixed window of each network. */
const ratios = (results: readonly NetworkResult[], runOf: (result: NetworkResult) => Run) => {
  const rates = results.map(result => runOf(result).rate / best(result).rate)
  const times = results.map(result => runOf(result).time / best(result).time)
  return { rate: average(rates), leastRate: Math.min(...rates), time: average(times), mostTime: Math.max(...times) }
}

const table = (results: readonly NetworkResult[]): string => {
  const row = (title: string, runOf: (result: NetworkResult) => Run): string[] => {
    const { rate, leastRate, time, mostTime } = ratios(results, runOf)
    return [title, ...[rate, leastRate].map(x => x.toFixed(3)), ...[time, mostTime].map(x => x.toFixed(2))]
  }
  const fixed = (window: number) => (result: NetworkResult) => result.fixed.find(run => run.window === window)!
  const columns = ['window', 'throughput, mean', 'least', 'time, mean', 'most']
  return textTable(
    columns.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    [row('auto', ({ auto }) => auto), ...[8, 16, 32].map(window => row(`${window}`, fixed(window)))]
  )
}

const worst = (results: readonly NetworkResult[]): string => {
  const described = (result: NetworkResult): string => {
    const { window, rate, time } = best(result)
    const { auto } = result
    return `${result.name} (${result.sources} sources, best ${window}): ${(auto.rate / rate).toFixed(3)} of its throughput, ${(auto.time / time).toFixed(2)} of its time`
  }
  const by = (order: (result: NetworkResult) => number) =>
    results
      .toSorted((a, b) => order(a) - order(b))
      .slice(0, 5)
      .map(result => `  ${described(result)}`)
  return [
    'least throughput:',
    ...by(result => result.auto.rate / best(result).rate),
    'longest time:',
    ...by(result => -result.auto.time / best(result).time)
  ].join('\n')
}

const main = async (): Promise<void> => {
  const names = networkNames(process.argv[2] ?? String(NETWORKS))
  const results = await eachInThreads<NetworkResult>(fileURLToPath(import.meta.url), 'windows', names)
  const { rate, time } = ratios(results, ({ auto }) => auto)
  const toMost = average(results.map(result => result.auto.rate / most(result)))
  process.stdout.write(
    [
      `${names.length} random networks, saturated, confluence, ${COUNT} data a source; beside the best fixed window of each network`,
      table(results),
      worst(results),
      `of the most that any fixed window serves: ${toMost.toFixed(3)}`,
      judge('throughput, mean', rate.toFixed(3), rate, { atLeast: 0.98 }) +
        judge('mean time, mean', time.toFixed(2), time, { atMost: 1.15 })
    ].join('\n')
  )
}

if (!answerIn('windows', runNetwork)) await main()
