import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import type { Sink } from '../ports/sink.ts'
import { type ResultEntry, sinkLine } from '../ports/sink-entry.ts'
import { systemClock } from '../system-clock.ts'
import { type DoneRecord, openDoneRecord } from './done-record.ts'
import { openSink } from './open-sink.ts'
import { openSinkFile } from './sink-file.ts'
import type { Rotation } from './sink-writer.ts'

interface Place {
  readonly file: string
  readonly stateFolder: string
}

const place = (): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-rotate-'))
  mkdirSync(join(folder, 'state'))
  mkdirSync(join(folder, 'out'))
  return { file: join(folder, 'out', 'sink.jsonl'), stateFolder: join(folder, 'state') }
}

const sinks: Sink[] = []
const said: string[] = []
afterEach(async () => {
  await Promise.all(sinks.splice(0).map(sink => sink.stop()))
  said.length = 0
})

const open = async (
  options: Place & { readonly openFile?: typeof openSinkFile; readonly rotation?: Rotation }
): Promise<Sink> => {
  const sink = await openSink({ clock: systemClock, linger: seconds(0.001), say: text => said.push(text), ...options })
  sinks.push(sink)
  return sink
}

const result = (datum: number): ResultEntry => ({
  ...{ source: 'door', datum, item: `${datum}.png`, result: { text: `ä${datum}` }, inferenceTime: 0.5, attempts: 1 }
})
const write = async (sink: Sink, ...data: number[]): Promise<void> => {
  for (const datum of data) await sink.write(result(datum))
}
/** Every line parses, or this throws. */
const dataIn = (file: string): number[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line).datum)

test('a sink that is renamed goes on in a new file; nothing is written twice, then or after a restart', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1)
  renameSync(at.file, `${at.file}.1`)
  await write(sink, 2, 3)
  expect([dataIn(`${at.file}.1`), dataIn(at.file)]).toEqual([
    [0, 1],
    [2, 3]
  ])
  expect(said).toEqual([expect.stringContaining('was moved or deleted; going on in a new file')])
  expect(await sink.write(result(0))).toBe('duplicate')
  await sink.stop()
  const again = await open(at)
  expect([...again.recorded('door').keys()].sort()).toEqual([0, 1, 2, 3])
  expect(again.counts('door')).toEqual({ results: 4, failed: 0, noItems: 0, dropped: 0 })
  expect(await again.write(result(1))).toBe('duplicate')
  expect(said.at(-1)).toMatch(
    /2 data that are done have no line in it any more .* remove .*state\/sink-.*\.done\.jsonl too/
  )
})

test('the file in its place may have been made by whoever rotated, be a link, or have lines', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  renameSync(at.file, `${at.file}.1`)
  writeFileSync(at.file, '') // logrotate create
  await write(sink, 1)
  renameSync(at.file, `${at.file}.2`)
  writeFileSync(`${at.file}.there`, `${JSON.stringify(result(7))}\n{"source":"do`)
  symlinkSync(`${at.file}.there`, at.file)
  await write(sink, 2)
  expect(dataIn(at.file)).toEqual([7, 2])
  expect(await sink.write(result(7))).toBe('duplicate')
})

test('a sink that is deleted is made anew, and what was in it is not done again', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1, 2)
  rmSync(at.file)
  await write(sink, 3)
  expect(dataIn(at.file)).toEqual([3])
  await sink.stop()
  rmSync(at.file)
  const again = await open(at)
  expect([...again.recorded('door').keys()].sort()).toEqual([0, 1, 2, 3])
})

test('a sink that is copied and truncated begins anew at its start: no zeros, no line lost, none twice', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1)
  copyFileSync(at.file, `${at.file}.1`)
  truncateSync(at.file, 0)
  await write(sink, 2, 3)
  expect([dataIn(`${at.file}.1`), dataIn(at.file)]).toEqual([
    [0, 1],
    [2, 3]
  ])
  expect(said).toEqual([expect.stringMatching(/was cut from \d+ to 0 bytes/)])
  await sink.stop()
  expect((await open(at)).counts('door').results).toBe(4)
})

test.each([0, 2])(
  'of a sink that is copied and cut while nobody runs, what its record had not learnt is found in the copy; after %i results',
  async before => {
    const at = place()
    const sink = await open(at)
    for (let datum = 0; datum < before; datum++) await write(sink, datum)
    await sink.stop()
    appendFileSync(at.file, sinkLine(result(7))) // as a process does that is killed before it has told the record
    copyFileSync(at.file, `${at.file}.1`)
    truncateSync(at.file)
    const again = await open(at)
    expect(await again.write(result(7))).toBe('duplicate')
    await write(again, 8)
    expect([dataIn(`${at.file}.1`), dataIn(at.file)]).toEqual([[...Array(before).keys(), 7], [8]])
  }
)

test('a file beside the sink that is older than its record, or has another name, is no copy of it', async () => {
  const at = place()
  writeFileSync(`${at.file}.old`, sinkLine(result(7)))
  const longAgo = new Date(Date.now() - 60_000)
  utimesSync(`${at.file}.old`, longAgo, longAgo)
  await (await open(at)).stop()
  writeFileSync(join(at.file, '..', 'other.jsonl'), sinkLine(result(8)))
  const again = await open(at)
  expect(await again.write(result(7))).toBe('written')
  expect(await again.write(result(8))).toBe('written')
})

test('a sink that is cut in the middle of a line goes on behind the last whole one', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1, 2)
  truncateSync(at.file, JSON.stringify(result(0)).length + 20)
  await write(sink, 3)
  expect(dataIn(at.file)).toEqual([0, 3])
})

test('what somebody else appends is kept: a line of ours counts, others are passed over and said once', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  appendFileSync(at.file, `${JSON.stringify(result(9))}\n`)
  await write(sink, 1)
  expect(dataIn(at.file)).toEqual([0, 9, 1])
  expect(said.splice(0)).toEqual([expect.stringMatching(/has written \d+ bytes into it; going on behind that/)])
  appendFileSync(at.file, `hello\n${JSON.stringify(result(8))}\nthere\n`)
  await write(sink, 2)
  appendFileSync(at.file, '[]\n')
  await write(sink, 3)
  appendFileSync(at.file, 'no end')
  await write(sink, 4)
  expect(sink.state()).toEqual({ kind: 'open' })
  const lines = readFileSync(at.file, 'utf8').split('\n')
  expect(lines.map(line => (line.startsWith('{') ? JSON.parse(line).datum : line))).toEqual([
    ...[0, 9, 1, 'hello', 8, 'there', 2, '[]', 3, 'no end', 4, '']
  ])
  expect(said).toEqual([
    expect.stringMatching(/something else has written 2 lines that are no results: "hello"; passed over/)
  ])
  expect([await sink.write(result(8)), sink.counts('door').results]).toEqual(['duplicate', 7])
})

test('at a start they are passed over in the file that the record knows, and in no other', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  appendFileSync(at.file, 'hello\n')
  await sink.stop()
  appendFileSync(at.file, 'no end')
  const again = await open(at)
  await write(again, 1)
  expect(readFileSync(at.file, 'utf8').split('\n').slice(1, 3)).toEqual(['hello', 'no end'])
  expect(said).toEqual([expect.stringMatching(/2 lines that are no results: "hello"/)])
  await again.stop()
  const content = readFileSync(at.file)
  renameSync(at.file, `${at.file}.1`)
  writeFileSync(at.file, content)
  await expect(open(at)).rejects.toThrow(/line 2 is not a result of tributary: hello/)
  expect(readFileSync(at.file).equals(content)).toBe(true)
  // The file that the record knows, by its inode, and nothing of ours in it.
  rmSync(at.file)
  renameSync(`${at.file}.1`, at.file)
  writeFileSync(at.file, 'a,b\n1,2')
  await expect(open(at)).rejects.toThrow(/line 1 is not a result of tributary: a,b/)
  expect(readFileSync(at.file, 'utf8')).toBe('a,b\n1,2')
})

test('a file that is cut to something else in mid-run is gone on with; another one in its place that is no sink is waited for', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1)
  writeFileSync(at.file, 'hello\n') // as the shell's > does
  await write(sink, 2)
  expect(readFileSync(at.file, 'utf8')).toBe(`hello\n${JSON.stringify(result(2))}\n`)
  renameSync(at.file, `${at.file}.2`)
  writeFileSync(at.file, 'a,b\n') // never a sink
  const waiting = sink.write(result(5))
  await expect.poll(() => sink.state()).toMatchObject({ kind: 'stuck', because: /line 1 is not a result/ })
  rmSync(at.file)
  expect(await waiting).toBe('written')
})

test('a sink that is led elsewhere by a link and renamed there while nobody runs: what its record had not learnt is found', async () => {
  for (const rotate of ['file', 'link'] as const) {
    const at = place()
    const folder = join(at.stateFolder, '..', 'far')
    mkdirSync(folder)
    const far = join(folder, 'far.jsonl')
    writeFileSync(far, '')
    symlinkSync(far, at.file)
    const sink = await open(at)
    await write(sink, 0)
    await sink.stop()
    // On the disk, and killed before the record knew it; with a line of somebody else's.
    appendFileSync(far, `hello\n${JSON.stringify(result(1))}\n`)
    if (rotate === 'file') renameSync(far, `${far}.1`)
    else {
      rmSync(at.file)
      renameSync(far, join(at.file, '..', 'old.jsonl'))
      symlinkSync(join(folder, 'new.jsonl'), at.file)
    }
    const again = await open(at)
    expect([...again.recorded('door').keys()], rotate).toEqual([0, 1])
    await again.stop()
  }
})

test('after a link has led to another folder, copies are looked for there', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  const folder = join(at.stateFolder, '..', 'far')
  mkdirSync(folder)
  const far = join(folder, 'far.jsonl')
  rmSync(at.file)
  symlinkSync(far, at.file)
  await write(sink, 1)
  copyFileSync(far, `${far}.1`)
  await write(sink, 2)
  truncateSync(far, 0)
  await write(sink, 3)
  expect([dataIn(`${far}.1`), dataIn(far)]).toEqual([[1], [2, 3]])
})

test('a file that is truncated between the look at it and the write has no zeros, and what was written counts once', async () => {
  const at = place()
  let isNext = false
  const sink = await open({
    ...at,
    openFile: async (path, earlier) => {
      const disk = await openSinkFile(path, earlier)
      const append = async (data: Uint8Array): Promise<void> => {
        if (isNext) truncateSync(at.file, 0)
        isNext = false
        await disk.append(data)
      }
      return { ...disk, append }
    }
  })
  await write(sink, 0, 1)
  isNext = true
  await write(sink, 2)
  await write(sink, 3)
  expect(dataIn(at.file)).toEqual([2, 3])
})

/** A sink whose file is told of every append before and after it. */
const watched = (at: Place, before: () => void, after: () => void): Promise<Sink> =>
  open({
    ...at,
    openFile: async (path, earlier) => {
      const disk = await openSinkFile(path, earlier)
      const append = async (data: Uint8Array): Promise<void> => {
        before()
        await disk.append(data)
        after()
      }
      return { ...disk, append }
    }
  })

test('what is written between the copying and the truncating is in the copy or in the sink, once', async () => {
  const at = place()
  let step: 'copy' | 'cut' | 'none' = 'none'
  const copy = (): void => copyFileSync(at.file, `${at.file}.1`)
  const cut = (): void => truncateSync(at.file, 0)
  const sink = await watched(
    at,
    () => {
      if (step === 'copy') copy()
    },
    () => {
      if (step === 'cut') cut()
    }
  )
  await write(sink, 0, 1)
  step = 'copy' // before 2 is written
  await write(sink, 2)
  step = 'none'
  await write(sink, 3)
  step = 'cut' // after 4 was written, before it is on the disk: the copy has neither 2, 3 nor 4
  const waiting = sink.write(result(4))
  await expect.poll(() => said.length).toBeGreaterThan(0)
  step = 'none'
  await waiting
  await write(sink, 5)
  expect([dataIn(`${at.file}.1`), dataIn(at.file)]).toEqual([
    [0, 1],
    [2, 3, 4, 5]
  ])
})

test('what is in the copy while it is on its way to the disk is not written again', async () => {
  const at = place()
  const first = await open(at)
  await write(first, 2, 3, 4, 5)
  await first.stop()
  let isNext = true
  const again = await watched(
    at,
    () => {},
    () => {
      if (isNext && readFileSync(at.file, 'utf8').includes('"datum":6')) {
        isNext = false
        copyFileSync(at.file, `${at.file}.2`)
        truncateSync(at.file, 0)
      }
    }
  )
  await write(again, 6, 7)
  expect([dataIn(`${at.file}.2`), dataIn(at.file)]).toEqual([[2, 3, 4, 5, 6], [7]])
  expect(again.counts('door').results).toBe(6)
})

test('a copy that was cut off in the middle of a line has missed that line', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1, 2)
  const whole = readFileSync(at.file)
  writeFileSync(`${at.file}.1`, whole.subarray(0, whole.indexOf(10) + 30))
  truncateSync(at.file, 0)
  await write(sink, 3)
  expect(dataIn(at.file)).toEqual([1, 2, 3])
})

test('a sink that is emptied, and copied nowhere, stays so; other files beside it are no copies', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1)
  writeFileSync(`${at.file}.other`, 'x'.repeat(readFileSync(at.file).byteLength - 3))
  truncateSync(at.file, 0)
  await write(sink, 2)
  expect(dataIn(at.file)).toEqual([2])
})

test('a rotated file of which a write has failed halfway keeps whole lines only', async () => {
  const at = place()
  let isFull = false
  const sink = await open({
    ...at,
    openFile: async (path, earlier) => {
      const disk = await openSinkFile(path, earlier)
      const append = async (data: Uint8Array): Promise<void> => {
        if (!isFull) return disk.append(data)
        await disk.append(data.subarray(0, 30))
        renameSync(at.file, `${at.file}.1`)
        isFull = false
        throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      }
      return { ...disk, append }
    }
  })
  await write(sink, 0)
  isFull = true
  await write(sink, 1)
  expect([dataIn(`${at.file}.1`), dataIn(at.file)]).toEqual([[0], [1]])
})

test('the folder of a sink that is away is waited for, not made', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  const folder = join(at.file, '..')
  renameSync(folder, `${folder}-away`)
  const waiting = sink.write(result(1))
  await expect.poll(() => sink.state()).toMatchObject({ kind: 'stuck', because: /no such file or folder/ })
  renameSync(`${folder}-away`, folder)
  expect(await waiting).toBe('written')
  expect(dataIn(at.file)).toEqual([0, 1])
})

const mount = (folder: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', 'tributary-test', folder], { stdio: 'ignore' }).status === 0
const unmount = (folder: string): void => {
  spawnSync('umount', ['-l', folder], { stdio: 'ignore' })
}
const canMount = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mount-'))
  const isMounted = process.platform === 'linux' && mount(folder)
  if (isMounted) unmount(folder)
  return isMounted
})()

test.skipIf(!canMount)(
  'a file system that is not mounted has no sink made below it, where nobody would see it',
  async () => {
    // Skipped where mounting is not permitted.
    const at = place()
    const folder = join(at.file, '..')
    expect(mount(folder)).toBe(true)
    try {
      const sink = await open(at)
      await write(sink, 0)
      unmount(folder)
      const waiting = sink.write(result(1))
      await expect.poll(() => sink.state()).toMatchObject({ kind: 'stuck', because: /is not mounted/ })
      expect(readdirSync(folder)).toEqual([])
      expect(mount(folder)).toBe(true)
      expect(await waiting).toBe('written')
      expect(dataIn(at.file)).toEqual([1])
      await sink.stop()
    } finally {
      unmount(folder)
    }
  }
)

test('while somebody else holds the file that took its place, it waits', async () => {
  const [at, other] = [place(), place()]
  const [sink, holder] = [await open(at), await open(other)]
  await write(sink, 0)
  rmSync(at.file)
  linkSync(other.file, at.file)
  const waiting = sink.write(result(1))
  await expect.poll(() => sink.state()).toMatchObject({ kind: 'stuck', because: /is used by process/ })
  await holder.stop()
  expect(await waiting).toBe('written')
})

test('without the state the lines in the sink are what is done; with another sink, nothing is', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  renameSync(at.file, `${at.file}.1`)
  await write(sink, 1)
  await sink.stop()
  rmSync(at.stateFolder, { recursive: true })
  mkdirSync(at.stateFolder)
  const again = await open(at)
  expect([...again.recorded('door').keys()]).toEqual([1])
  await again.stop()
  renameSync(at.file, `${at.file}.2`)
  expect([...(await open(at)).recorded('door').keys()]).toEqual([1]) // the record has learnt it from the sink
  expect((await open({ ...at, file: `${at.file}.other` })).recorded('door').size).toBe(0)
})

test('where record and sink differ the sink is right, also at the next start', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  await sink.stop()
  for (let start = 0; start < 2; start++) {
    writeFileSync(at.file, `${JSON.stringify({ ...result(0), item: 'other.png' })}\n`)
    const again = await open(at)
    expect(again.recorded('door').get(0)).toEqual({ item: 'other.png', kind: 'result' })
    await again.stop()
  }
  rmSync(at.file)
  expect((await open(at)).recorded('door').get(0)?.item).toBe('other.png')
})

test('what was no item keeps what its file looked like, and may have a result later, once', async () => {
  const at = place()
  const torn = { source: 'door', datum: 0, item: '0.png', failed: true, cause: 'torn', attempts: 0 } as const
  const sink = await open(at)
  expect(await sink.write(torn, '10 5')).toBe('written')
  expect(await sink.write(torn, '11 6')).toBe('duplicate')
  await sink.stop()
  const again = await open(at)
  expect(again.recorded('door').get(0)).toEqual({ item: '0.png', kind: 'noItem', stamp: '11 6' })
  expect([await again.write(result(0)), await again.write(result(0)), await again.write(torn)]).toEqual([
    'written',
    'duplicate',
    'duplicate'
  ])
  expect(again.counts('door')).toEqual({ results: 1, failed: 0, noItems: 0, dropped: 0 })
  await again.stop()
  const third = await open(at)
  expect(third.recorded('door').get(0)).toEqual({ item: '0.png', kind: 'result' })
  expect(readFileSync(at.file, 'utf8').trimEnd().split('\n')).toHaveLength(2)
})

test('wherever its record was cut off, nothing is lost and nothing is there twice', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0, 1, 2)
  await sink.stop()
  const file = join(at.stateFolder, readdirSync(at.stateFolder)[0]!)
  const whole = readFileSync(file)
  for (let cut = 0; cut <= whole.byteLength; cut += 5) {
    writeFileSync(file, whole.subarray(0, cut))
    const again = await open(at)
    expect(again.counts('door').results).toBe(3)
    await again.stop()
    renameSync(at.file, `${at.file}.1`)
    const alone = await open(at)
    expect(alone.counts('door').results, `cut at ${cut}`).toBe(3)
    await alone.stop()
    renameSync(`${at.file}.1`, at.file)
  }
})

test.skipIf(process.platform === 'win32')('a record is its owner’s only', async () => {
  const at = place()
  await write(await open(at), 0)
  expect(statSync(join(at.stateFolder, readdirSync(at.stateFolder)[0]!)).mode & 0o777).toBe(0o600)
})

test('a record that is none is refused with the remedy', async () => {
  const at = place()
  const sink = await open(at)
  await write(sink, 0)
  await sink.stop()
  const file = join(at.stateFolder, readdirSync(at.stateFolder)[0]!)
  const lines = [
    'something',
    '3',
    '["door",-1,"a"]',
    '["door",0]',
    '["door",0,"a","gone"]',
    '["door",0,"a","failed",5]'
  ]
  for (const line of [...lines, '["door",0,"a","failed","5",6]', '{"ok":2}', 'null']) {
    writeFileSync(file, `${line}\n`)
    await expect(open(at), line).rejects.toThrow(/done\.jsonl cannot be read any more; remove it/)
  }
})

test('what a disk that was full has not taken of the record comes with the next lines, each once', async () => {
  const { stateFolder } = place()
  let isFull = false
  const record = await openDoneRecord({
    ...{ folder: stateFolder, sink: '/sink.jsonl', boot: 'b1', found: () => {} },
    openFile: async path => {
      const disk = await openSinkFile(path)
      const append = async (data: Uint8Array): Promise<void> => {
        await disk.append(isFull ? data.subarray(0, 12) : data)
        if (isFull) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
      }
      return { ...disk, append }
    }
  })
  const line = (datum: number) => ({ source: 'door', datum, item: `${datum}.png`, kind: 'result' }) as const
  await record.add([line(0)], '5')
  isFull = true
  await expect(record.add([line(1)], '5')).rejects.toThrow('full')
  isFull = false
  await record.add([line(2)], '6')
  await record.close()
  expect(readFileSync(record.file, 'utf8').split('\n')).toEqual([
    ...['{"sink":"/sink.jsonl"}', '{"boot":"b1"}', '{"inode":"5"}', '["door",0,"0.png"]', '{"ok":1}'],
    ...['["door",1,"1.png"]', '{"inode":"6"}', '["door",2,"2.png"]', '{"ok":1}', '']
  ])
})

test('what was claimed and not confirmed counts after a kill, not after a power cut, and not when it was disclaimed', async () => {
  const { stateFolder: folder } = place()
  const known = async (boot: string | undefined, then?: (record: DoneRecord) => Promise<void>): Promise<number[]> => {
    const data: number[] = []
    const record = await openDoneRecord({ folder, sink: '/s', boot, found: ({ datum }) => data.push(datum) })
    await record.add([], '5')
    await then?.(record)
    await record.close()
    return data
  }
  const line = (datum: number) => ({ source: 'door', datum, item: `${datum}.png`, kind: 'result' }) as const
  await known('b1', record => record.claim([line(0)]))
  expect(await known('b1', record => record.claim([line(1)]))).toEqual([0])
  expect(await known('b2')).toEqual([0]) // 1 is on no disk
  expect(
    await known('b2', async record => {
      await record.claim([line(2)])
      await record.disclaim()
      await record.claim([line(3)])
      await record.add([line(4)], '5')
      await record.claim([line(5)])
    })
  ).toEqual([0])
  expect(await known('b3')).toEqual([0, 3, 4])
  expect(await known('b1')).toEqual([0, 3, 4])
})

test('whatever happens to the file between writes: every result is in exactly one file, in whole lines', async () => {
  const event = fc.constantFrom('write', 'write', 'write', 'rename', 'copyTruncate', 'create', 'restart', 'link')
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 3, maxLength: 14 }), async events => {
      const at = place()
      let sink = await open(at)
      let datum = 0
      let files = 0
      for (const what of events) {
        const rotated = `${at.file}.${files++}`
        if (what === 'write') await Promise.all([sink.write(result(datum++)), sink.write(result(datum++))])
        else if (what === 'rename' || what === 'create') {
          try {
            renameSync(at.file, rotated)
          } catch {} // not there: renamed before
          if (what === 'create') writeFileSync(at.file, '')
        } else if (what === 'copyTruncate') {
          try {
            copyFileSync(at.file, rotated)
            truncateSync(at.file, 0)
          } catch {}
        } else if (what === 'link') {
          try {
            renameSync(at.file, rotated)
            symlinkSync(rotated, at.file)
          } catch {}
        } else {
          await sink.stop()
          sink = await open(at)
        }
      }
      await sink.write(result(datum++))
      await sink.stop()
      const folder = join(at.file, '..')
      const names = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isFile())
      const all = names.flatMap(({ name }) => dataIn(join(folder, name)))
      expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: datum }, (_, i) => i))
      expect(sink.counts('door').results).toBe(datum)
    }),
    { numRuns: 25 }
  )
})

test('a sink that would grow beyond its size goes on in a new file; all that is done stays done', async () => {
  const at = { ...place(), rotation: { size: 250 } }
  const sink = await open(at)
  await write(sink, 0, 1, 2, 3, 4)
  await sink.stop()
  expect([`${at.file}.1`, `${at.file}.2`, at.file].map(dataIn)).toEqual([[0, 1], [2, 3], [4]])
  const again = await open(at)
  expect([...again.recorded('door').keys()].sort()).toEqual([0, 1, 2, 3, 4])
  await write(again, 5, 6)
  expect(dataIn(`${at.file}.3`)).toEqual([4, 5])
  expect(said.filter(text => /moved|deleted;/.test(text))).toEqual([])
})

test('of rotated files the newest remain, as many as are to be kept; others than these are not touched', async () => {
  const at = { ...place(), rotation: { size: 130, keep: 2 } }
  const sink = await open(at)
  writeFileSync(`${at.file}.old`, 'mine')
  await write(sink, 0, 1, 2, 3, 4)
  expect(readdirSync(join(at.file, '..')).sort()).toEqual([
    'sink.jsonl',
    'sink.jsonl.3',
    'sink.jsonl.4',
    'sink.jsonl.old'
  ])
  expect(sink.counts('door').results).toBe(5)
})

test('where the sink is a link, it is the file that is rotated', async () => {
  const at = { ...place(), rotation: { size: 130 } }
  mkdirSync(join(at.file, '..'), { recursive: true })
  const real = join(at.file, '..', '..', 'real.jsonl')
  writeFileSync(real, '')
  symlinkSync(real, at.file)
  await write(await open(at), 0, 1)
  expect([dataIn(`${real}.1`), dataIn(real), dataIn(at.file)]).toEqual([[0], [1], [1]])
})
