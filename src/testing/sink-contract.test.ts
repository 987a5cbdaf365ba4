import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import type { Outcome } from '../library/outcome.ts'
import { createOutcomeSink } from '../library/outcome-sink.ts'
import type { Sink } from '../runtime/ports/sink.ts'
import type { FailedEntry, ResultEntry, SinkEntry } from '../runtime/ports/sink-entry.ts'
import { fanOutSink } from '../runtime/sink/fan-out-sink.ts'
import { openSink } from '../runtime/sink/open-sink.ts'
import { StreamSink } from '../runtime/sink/stream-sink.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { memorySink } from './lone-device.ts'
import { EventClock } from './simulated/event-clock.ts'
import { createSinkDisk, MemorySink } from './simulated/memory-sink.ts'
import { ProcessClock } from './simulated/process-clock.ts'

interface Opened extends AsyncDisposable {
  readonly sink: Sink
  /** Another sink of what this one has written, once it is stopped; undefined where it keeps nothing. */
  readonly again?: () => Promise<Sink>
}

const inFile = async (): Promise<Opened> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-sink-contract-'))
  const open = () => openSink({ file: join(folder, 'sink.jsonl'), clock: systemClock, say: () => {} })
  return { sink: await open(), again: open, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

const asStream = async (): Promise<Opened> => {
  const stream = { write: async (data: Uint8Array) => data.byteLength, close: async () => {} }
  const target = { name: '-', mayReopen: false, open: async () => stream }
  return { sink: new StreamSink({ target, clock: systemClock, say: () => {} }), [Symbol.asyncDispose]: async () => {} }
}

const inSeveral = async (): Promise<Opened> => {
  const [one, other, stream] = [await inFile(), await inFile(), await asStream()]
  const join = (kept: readonly Sink[], lines?: Sink): Sink =>
    fanOutSink([
      ...kept.map(sink => ({ sink, isKept: true, sources: undefined })),
      ...(lines === undefined ? [] : [{ sink: lines, isKept: false, sources: undefined }])
    ])
  return {
    sink: join([one.sink, other.sink], stream.sink),
    again: async () => join([await one.again!(), await other.again!()]),
    [Symbol.asyncDispose]: async () => {
      await one[Symbol.asyncDispose]()
      await other[Symbol.asyncDispose]()
    }
  }
}

const ofSimulated = async (): Promise<Opened> => {
  const world = new EventClock()
  let isOver = false
  const pumping = (async () => {
    while (!isOver) {
      await world.run(() => isOver)
      await new Promise(resolve => setImmediate(resolve))
    }
  })()
  const disk = createSinkDisk()
  const open = () =>
    new MemorySink({
      ...{ name: 'memory', clock: new ProcessClock(world), disk },
      ...{ delay: () => seconds(0.001), refuses: () => undefined }
    })
  const again = async () => {
    const sink = open()
    await sink.opened
    return sink
  }
  return {
    sink: await again(),
    again,
    [Symbol.asyncDispose]: async () => {
      isOver = true
      await pumping
    }
  }
}

const ofTests = async (): Promise<Opened> => ({ sink: memorySink(), [Symbol.asyncDispose]: async () => {} })

const named = (datum: number, source: string) => ({ source, datum, item: `${datum}.png` })
const result = (datum: number, source = 'door'): ResultEntry => ({
  ...named(datum, source),
  ...{ result: { text: `ä${datum}` }, inferenceTime: 0.5, attempts: 1 }
})
const noItem = (datum: number, source = 'door'): FailedEntry => ({
  ...named(datum, source),
  ...{ failed: true, cause: 'no image', attempts: 0 }
})
const failed = (datum: number, source = 'door'): FailedEntry => ({
  ...named(datum, source),
  ...{ failed: true, cause: 'block 2', attempts: 4 }
})

let opened: Opened | undefined
const open = async (how: () => Promise<Opened>): Promise<Opened> => {
  opened = await how()
  return opened
}
afterEach(async () => {
  await opened?.sink.stop()
  await opened?.[Symbol.asyncDispose]()
  opened = undefined
})

describe.each([
  ['in a file', inFile],
  ['that is a stream', asStream],
  ['of several', inSeveral],
  ['of simulated devices', ofSimulated],
  ['of tests', ofTests]
])('a sink %s', (_, how) => {
  test('has each outcome once, and tells what it has, source by source', async () => {
    const { sink } = await open(how)
    const entries = [result(0), noItem(1), failed(2), result(0, 'shed')]
    expect(await Promise.all(entries.map(entry => sink.write(entry)))).toEqual(Array(4).fill('written'))
    expect([...sink.recorded('door')]).toEqual([
      [0, { item: '0.png', kind: 'result' }],
      [1, { item: '1.png', kind: 'noItem' }],
      [2, { item: '2.png', kind: 'failed' }]
    ])
    expect(sink.counts('door')).toEqual({ results: 1, failed: 2, noItems: 1, dropped: 0 })
    expect(sink.counts('shed')).toEqual({ results: 1, failed: 0, noItems: 0, dropped: 0 })
    expect(sink.counts('nobody')).toEqual({ results: 0, failed: 0, noItems: 0, dropped: 0 })
    expect(sink.recorded('nobody').size).toBe(0)
  })

  test('takes no second outcome of a datum, not even while the first is on its way', async () => {
    const { sink } = await open(how)
    const both = await Promise.all([sink.write(result(0)), sink.write(result(0))])
    expect([...both].sort()).toEqual(['duplicate', 'written'])
    for (const late of [result(0), failed(0), noItem(0)] as SinkEntry[])
      expect(await sink.write(late)).toBe('duplicate')
    expect(sink.counts('door')).toEqual({ results: 1, failed: 0, noItems: 0, dropped: 0 })
  })

  test('lets a result follow what was no item, and remembers what that looked like', async () => {
    const { sink } = await open(how)
    expect(await sink.write(noItem(0), 'as it was')).toBe('written')
    expect(sink.recorded('door').get(0)).toEqual({ item: '0.png', kind: 'noItem', stamp: 'as it was' })
    expect(await sink.write(result(0))).toBe('written')
    expect(sink.recorded('door').get(0)).toEqual({ item: '0.png', kind: 'result' })
    expect(await sink.write(result(0))).toBe('duplicate')
    expect(sink.counts('door')).toEqual({ results: 1, failed: 0, noItems: 0, dropped: 0 })
  })

  test('is open until it is stopped, once, and takes nothing then', async () => {
    const { sink } = await open(how)
    expect(sink.state()).toEqual({ kind: 'open' })
    await sink.write(result(0))
    await Promise.all([sink.stop(), sink.stop(), sink[Symbol.asyncDispose]()])
    expect(sink.state()).toEqual({ kind: 'stopped' })
    await expect(sink.write(result(1))).rejects.toThrow(UserError)
    expect(sink.recorded('door').has(1)).toBe(false)
    expect(sink.name).not.toBe('')
  })

  test('is, opened again, what it was', async () => {
    const { sink, again } = await open(how)
    if (again === undefined) return
    for (const entry of [result(0), noItem(1), failed(2)]) await sink.write(entry)
    await sink.stop()
    await using next = await again()
    expect([...next.recorded('door').values()].map(({ kind }) => kind)).toEqual(['result', 'noItem', 'failed'])
    expect(await next.write(result(0))).toBe('duplicate')
    expect(await next.write(result(3))).toBe('written')
  })
})

test('a sink of a program keeps nothing: each outcome is delivered, and counted, when its datum is settled', async () => {
  const delivered: Outcome[] = []
  const sink = createOutcomeSink('cam', { room: async () => {}, deliver: outcome => void delivered.push(outcome) })
  for (const entry of [result(0), noItem(1), failed(2)]) expect(await sink.write(entry)).toBe('written')
  expect(delivered).toEqual([])
  for (const datum of [0, 1, 2, 2]) sink.settled(datum)
  expect(delivered.map(({ kind, datum }) => `${kind} ${datum}`)).toEqual(['result 0', 'failed 1', 'failed 2'])
  expect([sink.recorded('cam').size, sink.counts('cam'), sink.state()]).toEqual([
    0,
    { results: 1, failed: 2, noItems: 0, dropped: 0 },
    { kind: 'open' }
  ])
  await sink.stop()
  await expect(sink.write(result(3))).rejects.toThrow(UserError)
  expect([delivered.length, sink.state()]).toEqual([3, { kind: 'stopped' }])
})
