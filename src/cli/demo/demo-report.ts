import { blockRanges } from '../../core/block-ranges.ts'
import { formatBytes, formatSeconds } from '../../core/format-quantity.ts'
import { meanInterval } from '../../report/mean-interval.ts'
import { textTable } from '../../report/text-table.ts'
import type { SourceImages } from './demo-images.ts'
import type { PolicyOutcome, PolicyRun } from './policy-outcome.ts'

/** What `demo --json` prints. */
export interface DemoDocument {
  readonly devices: readonly {
    readonly name: string
    readonly speed: number
    readonly memory: number
    readonly link: { readonly rate: string; readonly latency: string }
    readonly source: boolean
    readonly emulated: true
  }[]
  readonly runs: readonly PolicyRun[]
  /** Throughput of one policy over that of another, where both ran. */
  readonly speedup: Readonly<Record<string, number>>
}

export const speedups = (runs: readonly PolicyRun[]): Record<string, number> => {
  const of = (policy: string): number | undefined => runs.find(run => run.policy === policy)?.throughput
  const [best, base] = [of('confluence'), of('local')]
  return best === undefined || base === undefined ? {} : { 'confluence/local': best / base }
}

const sum = (run: PolicyRun, of: 'correct' | 'wrong' | 'lost' | 'duplicates'): number =>
  run.sources.reduce((total, source) => total + source[of], 0)

/**
 * Everything that plain ONNX Runtime reads was read the same, once. Where activations may travel inexactly a text may
 * differ: that is what was asked to be found out.
 */
export const allRight = (run: PolicyRun): boolean =>
  (run.encoding.choice === 'fp32' ? sum(run, 'wrong') : 0) + sum(run, 'lost') + sum(run, 'duplicates') === 0

/** What encoded activations cost in accuracy; nothing where they travel as they are. */
export const describeEncoding = ({ policy, encoding, sources }: PolicyRun): string[] => {
  const { choice, links, differently, maxDifference, meanDifference } = encoding
  if (choice === 'fp32') return []
  const images = sources.reduce((total, source) => total + source.images, 0)
  const names = [...new Set(links.map(link => link.encoding))].sort()
  const used = names.map(name => `${name} on ${links.filter(link => link.encoding === name).length} links`).join(', ')
  const off = (difference: number | null): string => (difference === null ? '-' : difference.toPrecision(2))
  return [
    '',
    `${policy}: activations as ${choice} (${used}): ${differently} of ${images} texts read differently;`,
    `confidence off by ${off(meanDifference)} on average, ${off(maxDifference)} at most.`
  ]
}

/** A row a policy: times, rates, right and wrong, bytes. */
export const policyTable = (outcomes: readonly PolicyOutcome[]): string => {
  const base = outcomes.find(({ run }) => run.policy === 'local')?.run.throughput
  const right = { align: 'right' } as const
  const isSpread = outcomes.some(({ run }) => run.rounds.length > 1)
  const isFlawed = outcomes.some(({ run }) => FLAWS.some(flaw => sum(run, flaw) > 0))
  const columns = [
    { title: 'policy' },
    { title: 'images/s', ...right },
    ...(isSpread ? [{ title: 'a round', ...right }] : []),
    { title: 'x local', ...right },
    { title: 'mean', ...right },
    { title: 'p95', ...right },
    { title: 'right', ...right },
    isFlawed ? { title: 'wrong/\nlost/\ntwice', ...right } : { title: 'sent', ...right }
  ]
  const table = textTable(
    columns,
    outcomes.map(({ run, inferenceTime }) => [
      run.policy,
      run.throughput.toFixed(1),
      ...(isSpread ? [ofARound(run)] : []),
      base === undefined ? '' : (run.throughput / base).toFixed(2),
      formatSeconds(inferenceTime.mean),
      formatSeconds(inferenceTime.p95),
      String(sum(run, 'correct')),
      isFlawed ? FLAWS.map(flaw => sum(run, flaw)).join('/') : formatBytes(Math.round(run.bytesSent))
    ])
  )
  return isFlawed ? table : `${table}\n\nNo text wrong, none lost, none twice.`
}

/** What may be wrong with the texts of a run; told where it is. */
const FLAWS = ['wrong', 'lost', 'duplicates'] as const

/** The mean of the rounds' rates, and its 95 % interval. */
const ofARound = ({ rounds }: PolicyRun): string => inWords(rounds.map(({ throughput }) => throughput))

const inWords = (values: readonly number[]): string => {
  const { mean, ci95 } = meanInterval(values)
  return Number.isNaN(ci95) ? mean.toFixed(1) : `${mean.toFixed(1)} ± ${ci95.toFixed(1)}`
}

/**
 * Of policies that follow each other in rate, those whose order may be an accident: the interval of what they differed by in the
 * same rounds has zero in it. Nothing where there was one round.
 */
export const openOrders = (runs: readonly PolicyRun[]): string[] => {
  const ranked = [...runs].sort((a, b) => b.throughput - a.throughput)
  return ranked.slice(1).flatMap((slower, i) => {
    const faster = ranked[i]!
    const apart = faster.rounds.map(
      ({ throughput }, round) => throughput - (slower.rounds[round]?.throughput ?? Number.NaN)
    )
    const { mean, ci95 } = meanInterval(apart)
    return Number.isNaN(ci95) || Math.abs(mean) > ci95
      ? []
      : [
          `Whether ${faster.policy} or ${slower.policy} is faster these rounds do not tell: they differ by ${inWords(apart)} images/s.`
        ]
  })
}

/** A row a policy, a column a device: the blocks it carried, their memory, how busy it was. */
export const deviceTable = (outcomes: readonly PolicyOutcome[]): string => {
  const names = outcomes[0]?.run.devices.map(device => device.name) ?? []
  const cell = ({ blocks, residentBytes, busy }: PolicyRun['devices'][number]): string =>
    `${blocks.length === 0 ? 'nothing' : `${blockRanges(blocks)} (${formatBytes(residentBytes)})`}\n${(100 * busy).toFixed(0)} % busy`
  return textTable(
    [{ title: 'policy' }, ...names.map(title => ({ title }))],
    outcomes.map(({ run }) => [run.policy, ...run.devices.map(cell)])
  )
}

/** Some images with what was recognised on them; `stands` is what was written there, where that is known. */
export const textSamples = (
  images: readonly SourceImages[],
  { texts }: PolicyOutcome,
  plain: ReadonlyMap<string, ReadonlyMap<string, string>>,
  count: number
): string => {
  const rows = images.flatMap(({ source, items, truth }) =>
    items
      .filter(item => texts.has(`${source}/${item}`))
      .slice(0, count)
      .map(item => [
        `${source}/${item}`,
        texts.get(`${source}/${item}`)!,
        plain.get(source)?.get(item) ?? '',
        truth.get(item) ?? '?'
      ])
  )
  return textTable(
    [{ title: 'image' }, { title: 'recognised' }, { title: 'plain ONNX Runtime' }, { title: 'stands' }],
    rows
  )
}
