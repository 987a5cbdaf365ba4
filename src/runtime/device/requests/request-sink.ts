import { NotWritten } from '../../ports/not-written.ts'
import type { Recorded, Sink, SinkState } from '../../ports/sink.ts'
import { outcomeOf, type SinkEntry } from '../../ports/sink-entry.ts'

/** A sink whose lines somebody waits for, each told when its datum is owed no longer. Nothing is kept. */
export interface RequestSink extends Sink {
  settled(datum: number): void
}

/** @param told of each datum once */
export const createRequestSink = (name: string, told: (entry: SinkEntry) => void): RequestSink => {
  const written = new Map<number, SinkEntry>()
  const counts = { results: 0, failed: 0, noItems: 0, dropped: 0 }
  let state: SinkState = { kind: 'open' }
  const stop = async (): Promise<void> => {
    state = { kind: 'stopped' }
  }
  return {
    name: `the answers of ${name}`,
    recorded: (): ReadonlyMap<number, Recorded> => new Map(),
    has: () => false,
    counts: () => counts,
    write: async entry => {
      if (state.kind === 'stopped') throw new NotWritten(`the answers of ${name}: nobody waits for them any more`)
      written.set(entry.datum, entry)
      return 'written'
    },
    settled: datum => {
      const entry = written.get(datum)
      if (entry === undefined) return
      written.delete(datum)
      const kind = outcomeOf(entry)
      counts[kind === 'result' ? 'results' : kind]++
      told(entry)
    },
    state: () => state,
    stop,
    [Symbol.asyncDispose]: stop
  }
}
