import { laneName } from '../core/lane-name.ts'
import { rowsOfSpans } from '../core/rows-of-spans.ts'
import type { DatumSpan, EventMark, RunTrace, TaskSpan } from './run-trace.ts'

/** One entry of the Chrome trace format; times in microseconds. */
export interface TraceEvent {
  readonly name: string
  /** X: a complete event. b, e: begin and end of what overlaps with others of its kind. M: a name for a process or thread. i: an instant. */
  readonly ph: 'X' | 'b' | 'e' | 'M' | 'i'
  /** Of an instant: p for the whole process. */
  readonly s?: 'p'
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  /** Joins begin and end. */
  readonly id?: string
  readonly args: Readonly<Record<string, string | number>>
}

export interface ChromeTrace {
  readonly displayTimeUnit: 'ms'
  readonly traceEvents: readonly TraceEvent[]
}

const nanoseconds = (time: number): number => Math.round(time * 1e9)

/** Microseconds, in whole nanoseconds: spans that touch still touch, and the file stays small. */
const during = (start: number, end: number): { readonly ts: number; readonly dur: number } => {
  const first = nanoseconds(start)
  return { ts: first / 1e3, dur: (nanoseconds(end) - first) / 1e3 }
}

/** A run as Perfetto and chrome://tracing show it: a process for each policy, a thread for each device and link; data of a source by their times. */
export const chromeTrace = ({
  tasks,
  transfers,
  data,
  events = []
}: Pick<RunTrace, 'tasks' | 'transfers' | 'data'> & Partial<Pick<RunTrace, 'events'>>): ChromeTrace => {
  const numbers = new Numbers()
  const rows = laneRows(tasks)
  const policies = [...new Set([...tasks, ...transfers, ...data].map(({ policy }) => policy))]
  const spans = [
    ...tasks.map(
      ({ policy, source, datum, model, block, start, end }, i): TraceEvent => ({
        name: `${source} ${datum}: ${model} ${block}`,
        cat: 'compute',
        ph: 'X',
        ...numbers.of(policy, rows[i]!),
        ...during(start, end),
        args: { source, datum, model, block }
      })
    ),
    ...transfers.map(
      ({ policy, from, to, source, datum, activation, bytes, start, end }): TraceEvent => ({
        name: `${source} ${datum}: activation ${activation}`,
        cat: 'transfer',
        ph: 'X',
        ...numbers.of(policy, `${from} → ${to}`),
        ...during(start, end),
        args: { source, datum, activation, bytes }
      })
    ),
    ...data.flatMap(span => inFlight(span, numbers)),
    ...policies.flatMap(policy => events.map(event => instant(policy, event, numbers)))
  ].sort((a, b) => a.ts! - b.ts!)
  return { displayTimeUnit: 'ms', traceEvents: [...numbers.names(), ...spans] }
}

/** The scenario changes something: across all rows of a policy. */
const instant = (policy: string, { at, text }: EventMark, numbers: Numbers): TraceEvent => ({
  name: text,
  cat: 'event',
  ph: 'i',
  s: 'p',
  ...numbers.of(policy, 'events'),
  ts: nanoseconds(at) / 1e3,
  args: {}
})

/** All data of a source have one name, so that a viewer draws them together; one that never came home has no end. */
const inFlight = (span: DatumSpan, numbers: Numbers): TraceEvent[] => {
  const { policy, source, device, datum, start, admitted, end } = span
  const thread = numbers.of(policy, `${source} at ${device}`)
  const event = { name: source, cat: 'datum', id: `${policy}/${source}/${datum}`, ...thread }
  const waited = admitted === undefined ? {} : { waited: admitted - start }
  return [
    { ...event, ph: 'b', ts: nanoseconds(start) / 1e3, args: { source, datum, ...waited } },
    ...(end === undefined ? [] : [{ ...event, ph: 'e' as const, ts: nanoseconds(end) / 1e3, args: {} }])
  ]
}

/** Of each span the name of its row: what a device runs beside something else has another one. */
const laneRows = (spans: readonly TaskSpan[]): readonly string[] => {
  const lanes = rowsOfSpans(spans, ({ policy, device }) => `${policy} ${device}`)
  return spans.map(({ device }, i) => laneName(device, lanes[i]!))
}

/** Processes and threads have numbers in a trace; names are told once. */
class Numbers {
  readonly #processes = new Map<string, Map<string, number>>()

  of(process: string, thread: string): { readonly pid: number; readonly tid: number } {
    const threads = this.#processes.get(process) ?? new Map<string, number>()
    this.#processes.set(process, threads)
    if (!threads.has(thread)) threads.set(thread, threads.size + 1)
    return { pid: [...this.#processes.keys()].indexOf(process) + 1, tid: threads.get(thread)! }
  }

  names(): TraceEvent[] {
    return [...this.#processes].flatMap(([process, threads], p) => {
      const pid = p + 1
      const named = [...threads].map(
        ([name, tid]): TraceEvent => ({ name: 'thread_name', ph: 'M', pid, tid, args: { name } })
      )
      return [{ name: 'process_name', ph: 'M', pid, tid: 0, args: { name: process } }, ...named]
    })
  }
}
