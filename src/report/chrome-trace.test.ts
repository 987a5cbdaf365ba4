import { expect, test } from 'vitest'
import { chromeTrace } from './chrome-trace.ts'
import type { DatumSpan, TaskSpan, TransferSpan } from './run-trace.ts'

const of = { policy: 'confluence', source: 'cam', datum: 3 }
const tasks: TaskSpan[] = [
  { ...of, device: 'shed', model: 'net', block: 1, start: 0.5, end: 1 },
  { ...of, device: 'porch', model: 'net', block: 0, start: 0, end: 0.25 },
  { ...of, policy: 'local', device: 'porch', model: 'net', block: 0, start: 0.1, end: 0.3 }
]
const transfers: TransferSpan[] = [
  { ...of, from: 'porch', to: 'shed', activation: 1, bytes: 600, start: 0.25, end: 0.5 }
]
const data: DatumSpan[] = [
  { ...of, device: 'porch', start: 0, admitted: 0.125, end: 1 },
  { ...of, device: 'porch', datum: 4, start: 0.5 }
]
const { traceEvents } = chromeTrace({ tasks, transfers, data })

test('spans are complete events in order of time, in microseconds, with what they were about', () => {
  const spans = traceEvents.filter(event => event.ph === 'X')
  expect(spans.map(({ cat, ts, dur, args }) => [cat, ts, dur, args])).toEqual([
    ['compute', 0, 250_000, { source: 'cam', datum: 3, model: 'net', block: 0 }],
    ['compute', 100_000, 200_000, { source: 'cam', datum: 3, model: 'net', block: 0 }],
    ['transfer', 250_000, 250_000, { source: 'cam', datum: 3, activation: 1, bytes: 600 }],
    ['compute', 500_000, 500_000, { source: 'cam', datum: 3, model: 'net', block: 1 }]
  ])
})

test('a process for each policy and a thread for each device and link, named once and before use', () => {
  const named = traceEvents
    .filter(event => event.ph === 'M')
    .map(({ name, pid, tid, args }) => [name, pid, tid, args['name']])
  expect(named).toEqual([
    ['process_name', 1, 0, 'confluence'],
    ['thread_name', 1, 1, 'shed'],
    ['thread_name', 1, 2, 'porch'],
    ['thread_name', 1, 3, 'porch → shed'],
    ['thread_name', 1, 4, 'cam at porch'],
    ['process_name', 2, 0, 'local'],
    ['thread_name', 2, 1, 'porch']
  ])
  expect(traceEvents.findLastIndex(event => event.ph === 'M')).toBeLessThan(
    traceEvents.findIndex(event => event.ph === 'X')
  )
  const threads = new Set(traceEvents.filter(event => event.ph === 'M').map(({ pid, tid }) => `${pid}/${tid}`))
  for (const { pid, tid } of traceEvents) expect(threads).toContain(`${pid}/${tid}`)
})

test('data of a source are begun and ended under one name; what never came home has no end', () => {
  const seen = traceEvents
    .filter(event => event.cat === 'datum')
    .map(({ ph, name, id, ts, args }) => [ph, name, id, ts, args])
  expect(seen).toEqual([
    ['b', 'cam', 'confluence/cam/3', 0, { source: 'cam', datum: 3, waited: 0.125 }],
    ['b', 'cam', 'confluence/cam/4', 500_000, { source: 'cam', datum: 4 }],
    ['e', 'cam', 'confluence/cam/3', 1_000_000, {}]
  ])
})

test('survives JSON as the format asks for: known phases, no time before 0', () => {
  const read = JSON.parse(JSON.stringify({ traceEvents })) as {
    traceEvents: { ph: string; ts?: number; dur?: number }[]
  }
  for (const { ph, ts = 0, dur = 0 } of read.traceEvents) {
    expect(['X', 'b', 'e', 'M']).toContain(ph)
    expect(ts).toBeGreaterThanOrEqual(0)
    expect(dur).toBeGreaterThanOrEqual(0)
  }
})

test('times are whole nanoseconds, and spans that touch still touch', () => {
  const third = { ...tasks[0]!, start: 0, end: 1 / 3 }
  const { traceEvents: events } = chromeTrace({
    tasks: [third, { ...third, start: 1 / 3, end: 2 / 3 }],
    transfers: [],
    data: []
  })
  const spans = events.filter(event => event.ph === 'X').map(({ ts, dur }) => [ts, dur])
  expect(spans).toEqual([
    [0, 333_333.333],
    [333_333.333, 333_333.334]
  ])
})

test('what the scenario changes is an instant of every policy', () => {
  const events = [{ at: 0.25, text: 'shed: speed 0.1' }]
  const marks = chromeTrace({ tasks, transfers, data, events }).traceEvents.filter(({ ph }) => ph === 'i')
  expect(marks.map(({ name, pid, s, ts }) => [name, pid, s, ts])).toEqual([
    ['shed: speed 0.1', 1, 'p', 250_000],
    ['shed: speed 0.1', 2, 'p', 250_000]
  ])
})

test('what a device runs beside something else has a row of its own, what it runs as one has none', () => {
  const at = (datum: number, start: number, end: number): TaskSpan => ({
    ...{ policy: 'confluence', source: 'cam', device: 'shed', model: 'net', block: 0 },
    ...{ datum, start, end }
  })
  const spans = [at(0, 0, 2), at(1, 1, 3), at(2, 2, 4), at(3, 2, 4), at(4, 3, 5)]
  const { traceEvents: events } = chromeTrace({ tasks: spans, transfers: [], data: [] })
  const names = new Map(events.flatMap(({ name, tid, args }) => (name === 'thread_name' ? [[tid, args['name']]] : [])))
  const rows = events.flatMap(({ ph, tid, args }) => (ph === 'X' ? [[args['datum'], names.get(tid)]] : []))
  expect(rows).toEqual([
    [0, 'shed'],
    [1, 'shed, lane 2'],
    [2, 'shed'],
    [3, 'shed'],
    [4, 'shed, lane 2']
  ])
})
