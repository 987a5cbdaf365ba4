import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Clock } from '../../core/clock.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { createSmallDisk, maySmallDisk } from '../../testing/small-disk.ts'
import { NotWritten } from '../ports/not-written.ts'
import type { Sink } from '../ports/sink.ts'
import type { ResultEntry } from '../ports/sink-entry.ts'
import { systemClock } from '../system-clock.ts'
import { openSink } from './open-sink.ts'
import { type OpenSinkFile, openSinkFile } from './sink-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'tributary-sink-'))
let files = 0
const fresh = (): string => join(folder, `${files++}.jsonl`)
const sinks: Sink[] = []
const said: string[] = []
afterEach(async () => {
  await Promise.all(sinks.splice(0).map(sink => sink.stop()))
  said.length = 0
})

interface Parts {
  readonly openFile?: OpenSinkFile
  readonly clock?: Clock
}

const open = async (file: string, { clock = systemClock, ...parts }: Parts = {}): Promise<Sink> => {
  const sink = await openSink({
    file,
    clock,
    say: (text, level) => said.push(level === undefined ? text : `${level}: ${text}`),
    ...parts
  })
  sinks.push(sink)
  return sink
}

const result = (datum: number, source = 'door'): ResultEntry => ({
  source,
  datum,
  item: `${datum}.png`,
  result: { text: `ä${datum}` },
  inferenceTime: 0.5,
  attempts: 1
})
const line = (datum: number): string => `${JSON.stringify(result(datum))}\n`
const text = (file: string): string => readFileSync(file, 'utf8')

test('a result that was written is on the disk, one line each, in order', async () => {
  const file = fresh()
  const sink = await open(file)
  await Promise.all([sink.write(result(1)), sink.write(result(0))])
  await sink.write({ item: 'x.txt', datum: 2, source: 'door', failed: true, cause: 'not an image', attempts: 0 })
  await sink.write({ item: '3.png', datum: 3, source: 'door', failed: true, cause: 'block 2: no memory', attempts: 4 })
  expect(text(file)).toBe(
    `${line(1)}${line(0)}{"source":"door","datum":2,"item":"x.txt","failed":true,"cause":"not an image","attempts":0}\n` +
      '{"source":"door","datum":3,"item":"3.png","failed":true,"cause":"block 2: no memory","attempts":4}\n'
  )
  expect(sink.counts('door')).toEqual({ results: 2, failed: 2, noItems: 1, dropped: 0 })
  expect([...sink.recorded('door')].map(([datum, { kind }]) => `${datum} ${kind}`)).toEqual([
    '1 result',
    '0 result',
    '2 noItem',
    '3 failed'
  ])
})

test('a duplicate is not written: neither one that is in the file nor one that is about to be', async () => {
  const file = fresh()
  const sink = await open(file)
  const outcomes = await Promise.all([sink.write(result(0)), sink.write(result(0)), sink.write(result(0, 'cam'))])
  expect(outcomes).toEqual(['written', 'duplicate', 'written'])
  expect(await sink.write(result(0))).toBe('duplicate')
  expect(text(file).trim().split('\n')).toHaveLength(2)
})

test('a sink that is opened again knows what it holds and goes on behind it', async () => {
  const file = fresh()
  const first = await open(file)
  await first.write(result(0))
  await first.stop()
  const second = await open(file)
  expect(second.recorded('door')).toEqual(new Map([[0, { item: '0.png', kind: 'result' }]]))
  expect(await second.write(result(0))).toBe('duplicate')
  await second.write(result(1))
  expect(text(file)).toBe(line(0) + line(1))
})

test('a datum that was given up in an earlier run is known as that, and not written again', async () => {
  const file = fresh()
  const first = await open(file)
  await first.write({ item: '0.png', datum: 0, source: 'door', failed: true, cause: 'no memory', attempts: 4 })
  await first.stop()
  const second = await open(file)
  expect(second.recorded('door')).toEqual(new Map([[0, { item: '0.png', kind: 'failed' }]]))
  expect(second.counts('door')).toEqual({ results: 0, failed: 1, noItems: 0, dropped: 0 })
  expect(await second.write(result(0))).toBe('duplicate')
})

test('wherever a write was cut off, whole lines stay and the torn one goes', async () => {
  const whole = Buffer.from(line(0) + line(1))
  for (let cut = 0; cut <= whole.byteLength; cut += 3) {
    const file = fresh()
    writeFileSync(file, whole.subarray(0, cut))
    const sink = await open(file)
    const kept = whole.subarray(0, cut).lastIndexOf(10) + 1
    expect(statSync(file).size).toBe(kept)
    await sink.write(result(9))
    expect(text(file)).toBe(whole.subarray(0, kept).toString() + line(9))
    await sink.stop()
  }
})

test('zeros after a power cut are cut off too', async () => {
  const file = fresh()
  writeFileSync(file, line(0) + '\0'.repeat(5000))
  await open(file)
  expect(text(file)).toBe(line(0))
  expect(said.join()).toMatch(/was cut off \(5000 bytes\)/)
})

test('a line longer than what is read at once is read whole', async () => {
  const file = fresh()
  writeFileSync(file, `${JSON.stringify({ ...result(0), result: 'ü'.repeat(400_000) })}\n${line(1)}`)
  const sink = await open(file)
  expect([...sink.recorded('door').keys()]).toEqual([0, 1])
})

test('a file that is no sink is refused and left as it was', async () => {
  for (const content of ['a,b\n1,2\n', 'GIF89a', `${line(0)}{"source":3}\n`, `${line(0)}something else`]) {
    const file = fresh()
    writeFileSync(file, content)
    await expect(open(file)).rejects.toThrow(/line \d is not a result of tributary/)
    expect(text(file)).toBe(content)
  }
})

test.each([
  ['a device', '/dev/full', /sink \/dev\/full: is not a regular file/],
  ['a folder', tmpdir(), /is a folder, not a file \(EISDIR\); give a file that can be written/],
  ['a folder below a file', '/etc/passwd/x.jsonl', /part of its path is a file, not a folder/]
])('%s is refused at once', async (_, file, message) => {
  const opening = open(file)
  await expect(opening).rejects.toThrow(message)
  await expect(opening).rejects.toBeInstanceOf(UserError)
})

test('two processes, or two sinks of one, cannot have the same file; the next may', async () => {
  const file = fresh()
  const sink = await open(file)
  await expect(open(file)).rejects.toThrow(`is used by process ${process.pid}; stop it, or give another`)
  await sink.stop()
  await open(file)
})

test('what the last holder wrote while another opened the file is not cut off', async () => {
  const file = fresh()
  const first = await open(file)
  await first.write(result(0))
  const second = await open(file, {
    openFile: async path => {
      const disk = await openSinkFile(path)
      const lock = async (what: string) => {
        await first.write(result(1))
        await first.stop()
        return disk.lock(what)
      }
      return { ...disk, lock }
    }
  })
  await second.write(result(2))
  expect(text(file)).toBe(line(0) + line(1) + line(2))
})

test('where a file system keeps no locks that is said, and the sink is opened all the same', async () => {
  const file = fresh()
  const sink = await open(file, {
    openFile: async path => ({
      ...(await openSinkFile(path)),
      lock: async () => ({ kind: 'noLocks', because: 'its file system keeps no locks (ENOLCK)' })
    })
  })
  await sink.write(result(0))
  expect(said).toEqual([expect.stringMatching(/keeps no locks \(ENOLCK\), so a second writer is not kept out/)])
})

/** A disk that is full while `full()`, and has by then taken half of what it was given. */
const moodyDisk =
  (full: () => boolean): OpenSinkFile =>
  async path => {
    const disk = await openSinkFile(path)
    return {
      ...disk,
      append: async data => {
        if (!full()) return disk.append(data)
        await disk.append(data.subarray(0, data.byteLength >> 1))
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      }
    }
  }

test('a disk that is full at the start is refused at once', async () => {
  const file = fresh()
  writeFileSync(file, line(0))
  await expect(open(file, { openFile: moodyDisk(() => true) })).rejects.toThrow('the disk is full (ENOSPC)')
})

test('a disk that fills up makes writers wait, says so once, and loses nothing when there is room again', async () => {
  const file = fresh()
  const clock = createManualClock()
  let full = false
  const sink = await open(file, { clock, openFile: moodyDisk(() => full) })
  full = true
  const writes = [sink.write(result(0)), sink.write(result(1))]
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await clock.advance(seconds(0.05))
  }
  await until(() => {
    const state = sink.state()
    return state.kind === 'stuck' && state.tries >= 3
  })
  expect(said).toEqual([expect.stringMatching(/^warn: .*the disk is full \(ENOSPC\); sources wait .* nothing is lost/)])
  writes.push(sink.write(result(2)))
  full = false
  await until(() => sink.state().kind === 'open')
  const all = Promise.all(writes)
  await until(() => sink.recorded('door').size === 3)
  expect(await all).toEqual(['written', 'written', 'written'])
  expect(text(file)).toBe(line(0) + line(1) + line(2))
  expect(said).toHaveLength(2)
  expect(said[1]).toMatch(/^sink .*can be written again$/)
})

test.skipIf(!maySmallDisk())(
  'a disk that is really full, also in the midst of a line, loses nothing and has whole lines',
  async () => {
    using disk = createSmallDisk(256)
    const sink = await open(join(disk.folder, 'sink.jsonl'))
    const long = (datum: number) => ({ ...result(datum), result: { text: 'x'.repeat(3000) } })
    const all = Array.from({ length: 120 }, (_, datum) => datum) // more than it holds
    const writing = Promise.all(all.map(datum => sink.write(long(datum))))
    await vi.waitFor(
      () => expect(sink.state()).toMatchObject({ kind: 'stuck', because: 'the disk is full (ENOSPC)' }),
      5000
    )
    execFileSync('mount', ['-o', 'remount,size=1024k', disk.folder])
    expect(await writing).toEqual(all.map(() => 'written'))
    await sink.stop()
    const lines = text(join(disk.folder, 'sink.jsonl')).trimEnd().split('\n')
    expect(lines.map(each => JSON.parse(each).datum).sort((a, b) => a - b)).toEqual(all)
  }
)

test('a sink that is stopped while the disk is full says what was not written, and leaves whole lines', async () => {
  const file = fresh()
  let full = false
  const sink = await open(file, { openFile: moodyDisk(() => full) })
  await sink.write(result(0))
  full = true
  const failed = expect(sink.write(result(1))).rejects.toThrow('1.png was not written: the disk is full')
  await sink.stop()
  await failed
  expect(text(file)).toBe(line(0))
})

test('however many results a full disk has not taken when the sink is stopped, they are one line, with their number', async () => {
  let full = false
  const sink = await open(fresh(), { openFile: moodyDisk(() => full) })
  full = true
  const waiting = Array.from({ length: 32 }, (_, datum) => sink.write(result(datum)))
  const outcomes = Promise.allSettled(waiting)
  await sink.stop()
  expect((await outcomes).every(one => one.status === 'rejected' && one.reason instanceof NotWritten)).toBe(true)
  expect(said.filter(line => /not written/.test(line))).toEqual([
    expect.stringMatching(/the disk is full \(ENOSPC\); 32 results were not written, the next start computes/)
  ])
})

test('stop writes what was accepted and refuses the rest', async () => {
  const file = fresh()
  const sink = await open(file)
  const accepted = sink.write(result(0))
  await Promise.all([sink.stop(), sink.stop()])
  expect(await accepted).toBe('written')
  await expect(sink.write(result(1))).rejects.toThrow('has been closed')
  expect(sink.state()).toEqual({ kind: 'stopped' })
  expect(text(file)).toBe(line(0))
})

test('results that come while others are being written are not left behind', async () => {
  const file = fresh()
  const sink = await open(file)
  const chain = async (from: number): Promise<void> => {
    for (let datum = from; datum < 200; datum += 8) await sink.write(result(datum))
  }
  await Promise.all(Array.from({ length: 8 }, (_, i) => chain(i)))
  const data = text(file)
    .trim()
    .split('\n')
    .map(l => JSON.parse(l).datum)
  expect(data.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
})

test('where what writes fails itself, and not the disk, whoever waits hears that it is over', async () => {
  let isBroken = false
  const refusing: OpenSinkFile = async path => {
    const disk = await openSinkFile(path)
    return { ...disk, append: data => (isBroken ? Promise.reject(new Error('EIO')) : disk.append(data)) }
  }
  const say = (): void => {
    if (isBroken) throw new Error('nothing can be said')
  }
  const sink = await openSink({ file: fresh(), clock: systemClock, say, openFile: refusing })
  sinks.push(sink)
  isBroken = true
  const writes = [0, 1].map(datum => sink.write(result(datum)))
  for (const write of writes) await expect(write).rejects.toBeInstanceOf(InvariantError)
  expect(sink.state()).toEqual({ kind: 'failed', because: 'nothing can be said' })
  await expect(sink.write(result(2))).rejects.toThrow('what writes it has failed: nothing can be said')
})

test('a result that is longer than a line may be has failed, and the sink stays one that can be read', async () => {
  const file = fresh()
  const sink = await open(file)
  const text = 'x'.repeat(2 ** 26)
  expect(await sink.write({ ...result(0), result: { text } })).toBe('written')
  expect(await sink.write(result(1))).toBe('written')
  expect(sink.counts('door')).toMatchObject({ results: 1, failed: 1 })
  await sink.stop()
  expect(JSON.parse(readFileSync(file, 'utf8').split('\n')[0]!)).toMatchObject({
    ...{ datum: 0, failed: true, attempts: 1 },
    cause: expect.stringMatching(/longer than 64 MiB, the limit of a line; have it written to files/)
  })
  expect([...(await open(file)).recorded('door').keys()]).toEqual([0, 1])
})
