import { NotWritten } from '../runtime/ports/not-written.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../runtime/ports/sink.ts'
import { isDropped, isFailed, type SinkEntry } from '../runtime/ports/sink-entry.ts'
import type { Outcome, OutcomeOf } from './outcome.ts'

type Computed = Extract<Outcome, { readonly kind: 'result' }>

export interface OutcomeSinkParts {
  /** May make the source wait. */
  readonly room: () => Promise<void>
  readonly deliver: (outcome: Outcome) => void
}

/** A sink whose results a program waits for. */
export interface OutcomeSink extends Sink {
  /** The source owes this datum no longer: whoever hears of its outcome finds it in no account any more. */
  settled(datum: number): void
}

/**
 * Where the results of one source go that a program waits for: to `deliver`, each when its datum is settled. Nothing is kept
 * after that, so that what is given up or sent twice is the caller's to know.
 */
export const createOutcomeSink = (name: string, { room, deliver }: OutcomeSinkParts): OutcomeSink => {
  const written = new Map<number, Outcome>()
  const counts = { results: 0, failed: 0, noItems: 0, dropped: 0 }
  let state: SinkState = { kind: 'open' }
  const stop = async (): Promise<void> => {
    state = { kind: 'stopped' }
  }
  return {
    name: `the results of ${name}`,
    recorded: (): ReadonlyMap<number, Recorded> => new Map(),
    has: () => false,
    counts: (): RecordedCounts => counts,
    write: async entry => {
      if (state.kind === 'stopped') throw new NotWritten(`the results of ${name}: nobody waits for them any more`)
      await room()
      written.set(entry.datum, outcomeOf(name, entry))
      return 'written'
    },
    settled: datum => {
      const outcome = written.get(datum)
      if (outcome === undefined) return
      written.delete(datum)
      counts[outcome.kind === 'result' ? 'results' : outcome.kind]++
      deliver(outcome)
    },
    state: () => state,
    stop,
    [Symbol.asyncDispose]: stop
  }
}

const outcomeOf = (source: string, entry: SinkEntry): Outcome => {
  const of: OutcomeOf = { source, datum: entry.datum, item: entry.item }
  if (isFailed(entry)) return { ...of, kind: 'failed', cause: entry.cause }
  if (isDropped(entry)) return { ...of, kind: 'dropped', reason: entry.reason }
  const { result, inferenceTime, attempts, availableAt = Number.NaN, doneAt = Number.NaN } = entry
  const outputs = result as Computed['outputs']
  return { ...of, kind: 'result', outputs, inferenceTime, availableAt, doneAt, attempts }
}
