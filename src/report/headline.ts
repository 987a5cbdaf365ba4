import { comparableBound } from './comparable-bound.ts'
import { finishedRuns } from './figures/finished-runs.ts'
import type { PolicyRun, RunReport } from './run-report.ts'
import { shareOfBound } from './share-of-bound.ts'
import { threeDigits } from './three-digits.ts'

/** What a report says, in words. */
export interface Headline {
  /** Who wins, by how much. */
  readonly lead: string
  /** Whether it pays to distribute, what limits, how near to the possible, how true the simulation is; each a sentence or two. */
  readonly more: readonly string[]
}

/** Less is told apart by chance and by how long a run took to fill and drain. */
const ALIKE = 0.02
/** Of the run: what is busy for so long has nothing left to give. */
const FULL = 0.85
/** Names that a sentence has room for. */
const NAMED = 3

export const headline = (report: RunReport): Headline => {
  const runs = finishedRuns(report)
  const [best] = runs
  if (best === undefined) return { lead: 'No policy finished; the table says why.', more: [] }
  return {
    lead: report.saturated || isFaster(runs) ? mostResults(runs) : shortestTime(runs),
    more: [
      ...whetherItPays(report, runs),
      limitOf(best),
      ...nearnessToBound(report, best),
      ...beyondChance(report),
      ...besideSimulation(report)
    ]
  }
}

const meanTime = ({ sources }: PolicyRun): number => {
  const completed = sources.reduce((sum, source) => sum + source.completed, 0)
  return sources.reduce((sum, source) => sum + source.inferenceTime.mean * source.completed, 0) / completed
}

/** Sources that bring a fixed rate get the same results from every policy that keeps up. */
const isFaster = (runs: readonly PolicyRun[]): boolean => runs[0]!.throughput > (1 + ALIKE) * runs.at(-1)!.throughput

const mostResults = (runs: readonly PolicyRun[]): string => {
  const [best, ...others] = runs
  const gives = `${threeDigits(best!.throughput)} results per second`
  if (others.length === 0) return `${best!.policy} gives ${gives}.`
  const alike = others.filter(({ throughput }) => throughput * (1 + ALIKE) >= best!.throughput)
  if (alike.length === others.length) return `All policies give about as much: ${gives}.`
  const next = others[alike.length]!
  const who = alike.length === 0 ? best!.policy : `${list([best!, ...alike])} (hardly apart)`
  const give = alike.length === 0 ? 'gives' : 'give'
  return `${who} ${give} most, ${gives}: ${compared(best!.throughput, next.throughput, ['more than', 'as many as'])} ${next.policy}, the next.`
}

const shortestTime = (runs: readonly PolicyRun[]): string => {
  const [best, next] = runs.toSorted((a, b) => meanTime(a) - meanTime(b))
  const time = `${threeDigits(meanTime(best!))} s in the mean`
  if (next === undefined) return `${best!.policy} has results back after ${time}.`
  if (meanTime(next) <= (1 + ALIKE) * meanTime(best!))
    return `All policies keep up with the sources; ${best!.policy} and ${next.policy} have results back soonest, after ${time}.`
  return `All policies keep up with the sources; ${best!.policy} has results back soonest, after ${time}: ${next.policy}, the next, takes ${compared(meanTime(next), meanTime(best!), ['longer', 'as long'])}.`
}

const list = (runs: readonly PolicyRun[]): string => {
  const names = runs.map(({ policy }) => policy)
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** "12 % more than", or "3.40 times as many as": from there on nobody reckons in hundreds of per cent. */
const compared = (a: number, b: number, words: readonly [more: string, times: string]): string =>
  a >= 3 * b ? `${threeDigits(a / b)} times ${words[1]}` : `${Math.round(100 * (a / b - 1))} % ${words[0]}`

/** Against each source's own device, which carries the whole model. */
const whetherItPays = ({ runs: all }: RunReport, runs: readonly PolicyRun[]): string[] => {
  const local = runs.find(({ policy }) => policy === 'local')
  const distributed = runs.find(({ policy }) => policy !== 'local')
  if (local === undefined) {
    const unable = all.find(({ policy, because }) => policy === 'local' && because !== undefined)
    if (unable !== undefined && distributed !== undefined)
      return ['Without distributing it does not work at all: the devices of the sources cannot do it alone.']
    return [
      'Whether distributing pays is not told: local, which leaves data where they are, was not among the policies.'
    ]
  }
  if (distributed === undefined) return []
  const ratio = distributed.throughput / local.throughput
  const gain = `${distributed.policy} gives ${threeDigits(ratio)} times the results of local, which leaves data where they are`
  if (ratio > 1 + ALIKE) return [`Distributing pays: ${gain}.`]
  const times = meanTime(local) / meanTime(distributed)
  if (ratio > 1 - ALIKE && times > 1 + ALIKE)
    return [
      `Distributing pays in time, not in rate: ${distributed.policy} has results back ${threeDigits(times)} times as soon as local.`
    ]
  return [`Distributing does not pay here: ${gain}.`]
}

const percent = (share: number): string => `${Math.round(100 * share)} %`

const limitOf = ({ policy, devices, links, media = [] }: PolicyRun): string => {
  const full = devices.filter(({ busy }) => busy >= FULL).sort((a, b) => b.busy - a.busy)
  const ways = [
    ...links.map(({ from, to, busy }) => ({ name: `the link ${from} → ${to}`, busy })),
    ...media.map(({ devices: shared, busy }) => ({ name: `the air that ${shared.length} devices share`, busy }))
  ].sort((a, b) => b.busy - a.busy)
  const [way] = ways
  if (way !== undefined && way.busy >= FULL && way.busy >= (full[0]?.busy ?? 0))
    return `${way.name.replace(/^t/, 'T')} limits ${policy}: it sends ${percent(way.busy)} of the run.`
  if (full.length > 0) {
    const named = full.slice(0, NAMED).map(({ name, busy }) => `${name} ${percent(busy)}`)
    const others = full.length > NAMED ? ` and ${full.length - NAMED} more` : ''
    return `Computing limits ${policy}: ${full.length} of ${devices.length} devices are busy nearly all the run (${named.join(', ')}${others}).`
  }
  const busiest = Math.max(0, ...devices.map(({ busy }) => busy), ...ways.map(({ busy }) => busy))
  return `Nothing is used up under ${policy}: what is busiest works ${percent(busiest)} of the run.`
}

const nearnessToBound = (report: RunReport, best: PolicyRun): string[] => {
  const bound = comparableBound(report)
  if (bound === null) return []
  return [`${best.policy} reaches ${Math.floor(100 * shareOfBound(best, bound))} % of what no policy can exceed here.`]
}

/** Over several seeds: whether the intervals of the first two touch. */
const beyondChance = ({ summary = [] }: RunReport): string[] => {
  const [first, second] = summary
    .filter(({ failed = 0 }) => failed === 0)
    .toSorted((a, b) => b.throughput.mean - a.throughput.mean)
  // Where nothing is drawn at random all seeds are alike.
  if (first === undefined || second === undefined || first.throughput.ci95 + second.throughput.ci95 === 0) return []
  const apart = first.throughput.mean - second.throughput.mean > first.throughput.ci95 + second.throughput.ci95
  const said = `Over ${first.seeds} seeds, ${first.policy} and ${second.policy} are`
  return [`${said} ${apart ? 'further apart than chance explains' : 'no further apart than chance explains'}.`]
}

const besideSimulation = ({ runs, simulated = [] }: RunReport): string[] => {
  const apart = runs.flatMap((run, i) => {
    const other = simulated[i]
    const share = other === undefined ? Number.NaN : run.throughput / other.throughput - 1
    return run.because === undefined && Number.isFinite(share) ? [{ policy: run.policy, share }] : []
  })
  if (apart.length === 0) return []
  const { policy, share } = apart.reduce((a, b) => (Math.abs(b.share) > Math.abs(a.share) ? b : a))
  const way = share < 0 ? 'less' : 'more'
  return [
    `Real processes give what the simulation says to within ${(100 * Math.abs(share)).toFixed(1)} %${apart.length > 1 ? ` (${policy}, ${way})` : ` (${way})`}.`
  ]
}
