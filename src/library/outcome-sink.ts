import { NotWritten } from '../runtime/ports/not-written.ts'
import type { Recorded, RecordedCounts, Sink, SinkState } from '../runtime/ports/sink.ts'
import { isFailed, isSkipped, type SinkEntry } from '../runtime/ports/sink-entry.ts'
import type { Outcome, OutcomeOf } from './outcome.ts'

type Computed = Extract<Outcome, { readonly kind: 'result' }>

/**
 * Where the results of one source go that a program waits for: to `deliver`, which may make it wait. Nothing is kept,
 * so that what is given up or sent twice is the caller's to know.
 */
export const createOutcomeSink = (name: string, deliver: (outcome: Outcome) => Promise<void>): Sink => {
  const counts = { results: 0, skipped: 0, failed: 0 }
  let state: SinkState = { kind: 'open' }
  const stop = async (): Promise<void> => {
    state = { kind: 'stopped' }
  }
  return {
    name: `the results of ${name}`,
    recorded: (): ReadonlyMap<number, Recorded> => new Map(),
    counts: (): RecordedCounts => counts,
    write: async entry => {
      if (state.kind === 'stopped') throw new NotWritten(`the results of ${name}: nobody waits for them any more`)
      const outcome = outcomeOf(name, entry)
      counts[outcome.kind === 'result' ? 'results' : 'failed']++
      await deliver(outcome)
      return 'written'
    },
    state: () => state,
    stop,
    [Symbol.asyncDispose]: stop
  }
}

const outcomeOf = (source: string, entry: SinkEntry): Outcome => {
  const of: OutcomeOf = { source, datum: entry.datum, item: entry.item }
  if (isSkipped(entry)) return { ...of, kind: 'failed', cause: entry.skipped }
  if (isFailed(entry)) return { ...of, kind: 'failed', cause: entry.cause }
  const { result, inferenceTime, attempts } = entry
  return { ...of, kind: 'result', outputs: result as Computed['outputs'], inferenceTime, attempts }
}
