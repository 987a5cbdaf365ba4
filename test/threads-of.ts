import type { ChromeTrace, TraceEvent } from '../src/report/chrome-trace.ts'

/** Of each thread of each policy, by their names: its complete events. */
export const threadsOf = ({ traceEvents }: ChromeTrace): Map<string, TraceEvent[]> => {
  const named = traceEvents.filter(event => event.ph === 'M')
  const nameOf = (pid: number, tid: number): string =>
    String(named.find(event => event.pid === pid && event.tid === tid)!.args['name'])
  const threads = new Map<string, TraceEvent[]>()
  for (const event of traceEvents.filter(({ ph }) => ph === 'X')) {
    const name = `${nameOf(event.pid, 0)}: ${nameOf(event.pid, event.tid)}`
    threads.set(name, [...(threads.get(name) ?? []), event])
  }
  return threads
}
