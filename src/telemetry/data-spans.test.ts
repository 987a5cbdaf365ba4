import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { loneDevice, memorySink, numberSource, ownedCounting } from '../testing/lone-device.ts'
import { DataSpans } from './data-spans.ts'

const START = seconds(1_900_000_000)

const open = (share: number, chance: () => number = () => 0.5) => {
  const memory = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] })
  const tracer = provider.getTracer('test')
  const lone = loneDevice({
    models: [ownedCounting('net', 3)],
    tracer: {
      begin: datum => spans.begin(datum),
      resent: datum => spans.resent(datum),
      refused: request => spans.refused(request)
    },
    observe: {
      ran: block => spans.observer.ran(block),
      sent: transfer => spans.observer.sent(transfer),
      admitted: datum => spans.observer.admitted(datum),
      ended: datum => spans.observer.ended(datum)
    }
  })
  const { clock } = lone
  const spans = new DataSpans({
    ...{ tracer, device: 'porch', clock, share, chance },
    wallTime: () => seconds(START + clock.now())
  })
  const start = async (): Promise<void> => {
    const starting = lone.device.start()
    await clock.advance(seconds(3))
    await starting
  }
  return { memory, spans, lone, clock, start }
}

test('spans are told in the time of the clock that the device is given', async () => {
  const { memory, clock, lone, start } = open(1)
  await start()
  void lone.device.addSource(numberSource(lone, 'cam', { count: 1, sink: memorySink() }))
  await clock.advance(seconds(3))
  const told = memory.getFinishedSpans().map(({ name, startTime, endTime, parentSpanContext }) => ({
    name,
    ms: Math.round(1e3 * (endTime[0] - startTime[0]) + 1e-6 * (endTime[1] - startTime[1])),
    isRoot: parentSpanContext === undefined
  }))
  expect(told.filter(({ name }) => !name.startsWith('wait'))).toEqual([
    { name: 'block 0', ms: 10, isRoot: false },
    { name: 'block 1', ms: 10, isRoot: false },
    { name: 'block 2', ms: 10, isRoot: false },
    { name: 'write the result', ms: 0, isRoot: false },
    { name: 'cam', ms: 30, isRoot: true }
  ])
  expect(memory.getFinishedSpans()[0]!.startTime[0]).toBeGreaterThanOrEqual(START)
  expect(memory.getFinishedSpans()[0]!.startTime[0]).toBeLessThan(START + 10)
})

test('of the data that nobody follows the share is followed, of the others those that are recorded', () => {
  const draws = [0.005, 0.02, 0.009, 0.5]
  const { spans } = open(0.01, () => draws.shift()!)
  const datum = { source: 'cam@porch', datum: 1, available: seconds(0) }
  const isFollowed = [0, 1, 2, 3].map(() => spans.begin({ ...datum, parent: undefined }) !== undefined)
  expect(isFollowed).toEqual([true, false, true, false])
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  expect(spans.begin({ ...datum, parent: { ...parent, isSampled: true } })?.traceId).toBe(parent.traceId)
  expect(spans.begin({ ...datum, parent: { ...parent, isSampled: false } })).toBeUndefined()
})

test('a datum without a result is told as an error, with why, and the log has its trace', async () => {
  const { memory, clock, spans, lone, start } = open(1)
  await start()
  const full = memorySink(() => {
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  })
  lone.device.addSource(numberSource(lone, 'full', { count: 1, sink: full })).catch(() => {})
  await clock.advance(seconds(3))
  const { traceId } = memory.getFinishedSpans()[0]!.spanContext()
  expect(lone.said).toContainEqual(expect.stringMatching(new RegExp(`not in the sink.*\\[${traceId}\\]`)))
  const of = { source: 'full@porch', datum: 9, available: seconds(0) }
  const trace = spans.begin({ ...of, parent: undefined })!
  spans.observer.ended({
    source: 'full@porch',
    datum: 9,
    trace,
    outcome: 'dropped',
    reason: 'deadline',
    at: seconds(1)
  })
  expect(memory.getFinishedSpans().at(-1)).toMatchObject({ status: { code: 2, message: 'deadline' } })
})

test('a datum that was sent again says so, and how often; a request that was refused is in the trace of whoever asked', () => {
  const { memory, spans } = open(1)
  const of = { source: 'cam@porch', datum: 4 }
  const trace = spans.begin({ ...of, available: seconds(0), parent: undefined })!
  spans.resent({ ...of, attempt: 2 })
  spans.resent({ ...of, datum: 5, attempt: 2 }) // of one that is not followed nothing is told
  spans.observer.ended({ ...of, trace, outcome: 'result', available: seconds(0), at: seconds(1) })
  const [root] = memory.getFinishedSpans().filter(({ name }) => name === 'cam')
  expect(root!.attributes).toMatchObject({ 'tributary.attempts': 2 })
  expect(root!.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    ['sent again', { 'tributary.attempt': 2 }]
  ])

  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  const refusal = { model: 'net', since: seconds(0), code: 'queueFull', because: '9 requests wait here already' }
  spans.refused({ ...refusal, parent: { ...parent, isSampled: false } })
  spans.refused({ ...refusal, parent: { ...parent, isSampled: true } })
  const told = memory.getFinishedSpans().filter(({ name }) => name === 'no answer')
  expect(told.map(span => [span.spanContext().traceId, span.parentSpanContext?.spanId])).toEqual([
    [parent.traceId, parent.spanId]
  ])
  expect(told[0]).toMatchObject({
    status: { code: 2, message: '9 requests wait here already' },
    attributes: { 'tributary.model': 'net', 'error.type': 'queueFull', 'tributary.device': 'porch' }
  })
})
