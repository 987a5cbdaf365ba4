import { stopOnce } from '../../core/stop-once.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../ports/sink.ts'
import type { SinkEntry } from '../ports/sink-entry.ts'

/** One of several sinks. */
export interface Branch {
  readonly sink: Sink
  /** What is in it survives the process. */
  readonly isKept: boolean
}

/**
 * Several sinks as one: an outcome is written when each of them has it. A datum is done when each that keeps anything has
 * it; where one lacks it, it is computed again, and the others take no second line of it.
 */
export const fanOutSink = (branches: readonly Branch[]): Sink => {
  const sinks = branches.map(({ sink }) => sink)
  const kept = branches.filter(({ isKept }) => isKept).map(({ sink }) => sink)
  const telling = kept.length > 0 ? kept : sinks
  return {
    name: sinks.map(({ name }) => name).join(', '),
    recorded: source => inAll(telling.map(sink => sink.recorded(source))),
    has: (source, datum) => telling.every(sink => sink.has(source, datum)),
    counts: source => fewest(telling.map(sink => sink.counts(source))),
    write: async (entry: SinkEntry, stamp?: string) => {
      const outcomes = await Promise.all(sinks.map(sink => sink.write(entry, stamp)))
      return outcomes.includes('written') ? 'written' : 'duplicate'
    },
    state: () => joined(sinks),
    deliveries: () => sinks.flatMap(sink => sink.deliveries?.() ?? []),
    ...stopOnce(async () => {
      const stopped = await Promise.allSettled(sinks.map(sink => sink.stop()))
      const failed = stopped.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    })
  }
}

/** Of a datum that became different things, what is least done. */
const inAll = ([first, ...others]: readonly ReadonlyMap<number, Recorded>[]): ReadonlyMap<number, Recorded> => {
  if (first === undefined || others.length === 0) return first ?? new Map()
  const all = new Map<number, Recorded>()
  for (const [datum, recorded] of first) {
    const everywhere = [recorded, ...others.flatMap(other => other.get(datum) ?? [])]
    if (everywhere.length <= others.length) continue
    all.set(datum, everywhere.find(({ kind }) => kind === 'noItem') ?? recorded)
  }
  return all
}

const fewest = (counts: readonly RecordedCounts[]): RecordedCounts => ({
  results: Math.min(...counts.map(({ results }) => results)),
  failed: Math.min(...counts.map(({ failed }) => failed)),
  noItems: Math.min(...counts.map(({ noItems }) => noItems)),
  dropped: Math.min(...counts.map(({ dropped }) => dropped))
})

/** What is worst. */
const joined = (sinks: readonly Sink[]): SinkState => {
  for (const kind of ['failed', 'stuck', 'open'] as const) {
    const sink = sinks.find(each => each.state().kind === kind)
    if (sink === undefined) continue
    const state = sink.state()
    return 'because' in state ? { ...state, because: `${sink.name}: ${state.because}` } : state
  }
  return { kind: 'stopped' }
}
