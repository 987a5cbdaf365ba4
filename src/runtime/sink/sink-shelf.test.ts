import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test, vi } from 'vitest'
import type { Sink } from '../ports/sink.ts'
import type { ResultEntry } from '../ports/sink-entry.ts'
import { systemClock } from '../system-clock.ts'
import { SinkShelf } from './sink-shelf.ts'
import { parseSinkSpec, type SinkSpec } from './sink-spec.ts'

const shelves: SinkShelf[] = []
const said: string[] = []
afterEach(async () => {
  await Promise.all(shelves.splice(0).map(shelf => shelf.stop()))
  said.length = 0
})

const shelfIn = (folder: string): SinkShelf => {
  const shelf = new SinkShelf({ stateFolder: join(folder, 'state'), clock: systemClock, say: text => said.push(text) })
  shelves.push(shelf)
  return shelf
}
const specsIn = (folder: string, ...specs: readonly string[]): readonly SinkSpec[] =>
  specs.map(text => parseSinkSpec(text.replace('$', folder)))

/** The sink of the source `door`. */
const open = async (folder: string, ...specs: readonly string[]): Promise<Sink & { readonly shelf: SinkShelf }> => {
  const shelf = shelfIn(folder)
  await shelf.change(specsIn(folder, ...specs), ['door', 'cam'])
  return { ...partsOf(shelf.sinkOf('door')), shelf }
}
const partsOf = (sink: Sink): Sink => ({
  name: sink.name,
  recorded: source => sink.recorded(source),
  has: (source, datum) => sink.has(source, datum),
  counts: source => sink.counts(source),
  state: () => sink.state(),
  write: (entry, stamp) => sink.write(entry, stamp),
  stop: () => sink.stop(),
  [Symbol.asyncDispose]: () => sink.stop()
})

const place = (): string => mkdtempSync(join(tmpdir(), 'tributary-sinks-'))
const result = (datum: number, source = 'door@porch'): ResultEntry => ({
  ...{ source, datum, item: `${datum}.png`, result: { text: 'x'.repeat(1000) }, inferenceTime: 0.5, attempts: 1 }
})
const dataIn = (file: string): number[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => (line === '' ? [] : [JSON.parse(line).datum]))

test('each sink has each result once; one that is added later gets all', async () => {
  const folder = place()
  const first = await open(folder, '$/a.jsonl')
  await first.write(result(0))
  await first.stop()
  const both = await open(folder, '$/a.jsonl', '$/b.jsonl')
  expect(both.recorded('door@porch').size).toBe(0)
  for (const datum of [0, 1]) expect(await both.write(result(datum))).toBe('written')
  expect([...both.recorded('door@porch').keys()]).toEqual([0, 1])
  expect([dataIn(join(folder, 'a.jsonl')), dataIn(join(folder, 'b.jsonl'))]).toEqual([
    [0, 1],
    [0, 1]
  ])
})

test('a sink has what it is for: the sources that it names', async () => {
  const folder = place()
  const sink = await open(folder, '$/door.jsonl,sources=door', '$/all.jsonl')
  await sink.write(result(0))
  await sink.shelf.sinkOf('cam').write(result(1, 'cam@porch'))
  expect([dataIn(join(folder, 'door.jsonl')), dataIn(join(folder, 'all.jsonl'))]).toEqual([[0], [0, 1]])
  await expect(open(folder, '$/x.jsonl,sources=dor')).rejects.toThrow(
    /there is no source "dor", did you mean "door"\? \(known: door, cam\)/
  )
})

test('where one of several cannot be opened, none is held', async () => {
  const folder = place()
  writeFileSync(join(folder, 'notes.txt'), 'not a sink\n')
  await expect(open(folder, '$/a.jsonl', '$/notes.txt')).rejects.toThrow(/notes.txt: line 1 is not a result/)
  await expect(open(folder, '$/a.jsonl', '$/./a.jsonl')).rejects.toThrow(/is given twice/)
  await open(folder, '$/a.jsonl')
})

test.skipIf(process.platform === 'win32')(
  'a FIFO waits for a reader; of the line that one left in its midst the next has all',
  async () => {
    const folder = place()
    const fifo = join(folder, 'results')
    execFileSync('mkfifo', [fifo])
    const sink = await open(folder, '$/results')
    const long = { ...result(0), result: { text: 'x'.repeat(300_000) } }
    const all = [sink.write(long), sink.write(result(1))]
    const reader = spawn('head', ['-c', '100', fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(reader, 'exit')
    await vi.waitFor(() => expect(sink.state()).toMatchObject({ kind: 'stuck', because: 'nobody reads it' }))
    const next = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: next.stdout })
    const seen: number[] = []
    lines.on('line', line => seen.push(JSON.parse(line).datum))
    await Promise.all(all)
    await sink.stop()
    await once(lines, 'close')
    expect(seen).toEqual([0, 1])
    expect(sink.state()).toEqual({ kind: 'stopped' })
    await expect(open(folder, '$/results,rotate=1MiB')).rejects.toThrow(/is no file that could be rotated/)
  }
)

test.skipIf(process.platform === 'win32')('a FIFO that nobody reads holds nobody up who stops', async () => {
  const folder = place()
  execFileSync('mkfifo', [join(folder, 'results')])
  const sink = await open(folder, '$/results')
  const outcome = expect(sink.write(result(0))).rejects.toThrow(/0.png was not written: nobody reads it/)
  await Promise.all([outcome, sink.stop()])
  expect(said.join('\n')).toContain('1 results were not read by anybody')
})

test.skipIf(process.platform !== 'linux')(
  'a device that is full makes sources wait, and says what was not written',
  async () => {
    const sink = await open(place(), '/dev/full')
    const outcome = expect(sink.write(result(0))).rejects.toThrow(/0.png was not written: the disk is full \(ENOSPC\)/)
    await vi.waitFor(() => expect(sink.state()).toMatchObject({ kind: 'stuck', because: 'the disk is full (ENOSPC)' }))
    await Promise.all([outcome, sink.stop()])
    expect(said.join('\n')).toMatch(/sink \/dev\/full: the disk is full \(ENOSPC\); sources wait, nothing is lost/)
  }
)

test.skipIf(process.platform === 'win32')(
  'a reader of a FIFO that reads nothing makes sources wait, and whoever stops 2 s at most',
  async () => {
    const folder = place()
    const fifo = join(folder, 'results')
    execFileSync('mkfifo', [fifo])
    const sink = await open(folder, '$/results')
    const reader = spawn('sh', ['-c', `exec sleep 600 < ${fifo}`], { stdio: 'ignore' })
    try {
      const long = { ...result(0), result: { text: 'x'.repeat(300_000) } }
      const [first, second] = [sink.write(long), sink.write(result(1))]
      const outcomes = Promise.allSettled([first, second])
      await vi.waitFor(() => expect(readFileSync(`/proc/${reader.pid}/comm`, 'utf8')).toBe('sleep\n'), 5000)
      const begun = systemClock.now()
      await sink.stop()
      expect(systemClock.now() - begun).toBeLessThan(3.5)
      expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      expect(said.join('\n')).toMatch(/results were not read by anybody/)
    } finally {
      reader.kill('SIGKILL')
    }
  }
)

test('sinks come and go while others stay open, and what cannot be opened changes nothing', async () => {
  const folder = place()
  const shelf = shelfIn(folder)
  await (await shelf.change(specsIn(folder, '$/a.jsonl', '$/b.jsonl'), ['door'])).commit()
  const before = shelf.sinkOf('door')
  const wrong = specsIn(folder, '$/c.jsonl', '$')
  await expect(shelf.change(wrong, ['door'])).rejects.toThrow(/is a folder/)
  await expect(shelf.change(specsIn(folder, '$/a.jsonl,rotate=1MiB'), ['door'])).rejects.toThrow(
    /a.jsonl: is open with other options; but for its sources they change with a restart only/
  )
  await before.write(result(0))
  const change = await shelf.change(specsIn(folder, '$/c.jsonl', '$/a.jsonl'), ['door'])
  expect([change.added, change.removed]).toEqual([[join(folder, 'c.jsonl')], [join(folder, 'b.jsonl')]])
  await before.write(result(1))
  await change.commit()
  await shelf.sinkOf('door').write(result(2))
  expect(['a', 'b', 'c'].map(name => dataIn(join(folder, `${name}.jsonl`)))).toEqual([[0, 1, 2], [0, 1], [2]])
  const undone = await shelf.change(specsIn(folder, '$/a.jsonl', '$/d.jsonl'), ['door'])
  await undone.undo()
  expect(shelf.specsOf('door').map(({ text }) => text)).toEqual([join(folder, 'c.jsonl'), join(folder, 'a.jsonl')])
  await open(folder, '$/d.jsonl')
})
