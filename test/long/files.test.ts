import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { encodeNpy } from '../../src/runtime/io/npy.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { tinyOnnxFile } from '../../src/testing/tiny-onnx.ts'

// Real devices, and what happens to files below them: folders that are away, files that are half there, sinks that are rotated,
// deleted and truncated, two devices with one sink. The model doubles four numbers, so every result is known.

const model = tinyOnnxFile({
  inputs: { x: ['float32', [4]] },
  outputs: { y: ['float32', [4]] },
  nodes: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }]
})

const alive: NodeProcess[] = []
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(node => node.ended))
})

const item = (i: number): Buffer =>
  Buffer.from(
    encodeNpy({ type: 'float32', dims: [4], data: new Uint8Array(Float32Array.of(i, i + 0.5, -i, 1).buffer) })
  )
const nameOf = (i: number): string => `${String(i).padStart(3, '0')}.npy`

interface Place {
  readonly home: string
  readonly items: string
  readonly sink: string
}

/** A folder of items and where the results go, which is a folder of its own. */
const place = (count: number): Place => {
  const home = mkdtempSync(join(tmpdir(), 'tributary-files-'))
  const [items, out] = [join(home, 'items'), join(home, 'out')]
  mkdirSync(items)
  mkdirSync(out)
  for (let i = 0; i < count; i++) writeFileSync(join(items, nameOf(i)), item(i))
  return { home, items, sink: join(out, 'sink.jsonl') }
}

const flagsOf = ({ home, items, sink }: Place, { options = '', state = 'state' } = {}): string[] => [
  ...['--state', join(home, state), '--model', `${model}:net`, '--preset', 'raw', '--sink', sink],
  ...['--source', `cam=dir:${items},model=net,window=4${options}`, '--exit-when-done']
]

const start = (at: Place, more: Parameters<typeof flagsOf>[1] = {}, name = 'cam'): NodeProcess => {
  const node = startNode(name, flagsOf(at, more))
  alive.push(node)
  return node
}
/** Twenty a second. */
const PACED = ',arrivals=every:50ms'
/** One a second: there is time for what the test does in mid-run, also where the machine is busy. */
const SLOW = ',arrivals=every:1s'
const cam = (status: ClusterStatus) => status.sources.find(source => source.name === 'cam')!

interface Line {
  readonly datum: number
  readonly item: string
  readonly cause?: string
  readonly result?: { readonly y: { readonly data: readonly number[] } }
}

/** Every line of a sink, each of which parses. */
const PATIENT = { timeout: 60_000, interval: 20 }

const linesOf = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

/** All sinks of a place, rotated ones too: each item has one result, and it is right. */
const checkAll = (at: Place, count: number): Line[] => {
  const out = dirname(at.sink)
  const files = readdirSync(out, { withFileTypes: true }).filter(entry => entry.isFile())
  const lines = files.flatMap(({ name }) => linesOf(join(out, name)))
  expect(lines.map(line => line.item).sort()).toEqual(Array.from({ length: count }, (_, i) => nameOf(i)))
  for (const { item: name, result } of lines) {
    const i = Number.parseInt(name, 10)
    expect(result?.y.data).toEqual([2 * i, 2 * i + 1, i === 0 ? 0 : -2 * i, 2])
  }
  return lines
}

describe('a folder of items', () => {
  test('that is renamed away for two seconds in mid-run loses nothing', async () => {
    const at = place(80)
    const node = start(at, { options: ',arrivals=every:150ms' })
    await node.status(s => cam(s).completed >= 10)
    renameSync(at.items, `${at.items}-away`)
    await new Promise(resolve => setTimeout(resolve, 2000))
    expect(linesOf(at.sink).length).toBeLessThan(80)
    renameSync(`${at.items}-away`, at.items)
    expect(await node.ended).toBe(0)
    checkAll(at, 80)
    expect(node.log()).toMatch(/tried again until it can be read/)
    expect(node.log()).not.toMatch(/has failed/)
  })

  test('that stays away is said, ends the run when patience does, and the next start does the rest', async () => {
    const at = place(15)
    const node = start(at, { options: `${SLOW},patience=2s` })
    await node.status(s => cam(s).completed >= 2)
    renameSync(at.items, `${at.items}-away`)
    const { sources } = (await node.event('done')) as { sources: ClusterStatus['sources'] }
    expect(await node.ended).toBe(1)
    const done = linesOf(at.sink).length
    expect(sources[0]).toMatchObject({ completed: done, failed: 0, unavailable: 15 - done })
    expect(node.log()).toContain(`source cam: ${15 - done} items could not be read; the next start tries them again`)
    renameSync(`${at.items}-away`, at.items)
    expect(await start(at).ended).toBe(0)
    checkAll(at, 15)
  })

  test('in which items are links that lead nowhere for a while, or files that are half written', async () => {
    const at = place(20)
    const [linked, half] = [join(at.items, nameOf(3)), join(at.items, nameOf(5))]
    rmSync(linked)
    symlinkSync(join(at.home, 'later.npy'), linked)
    writeFileSync(half, item(5).subarray(0, 60))
    const node = start(at)
    await node.status(s => cam(s).completed === 18 && cam(s).unavailable === 2)
    writeFileSync(half, item(5).subarray(0, 135))
    writeFileSync(join(at.home, 'later.npy'), item(3))
    await node.status(s => cam(s).completed === 19)
    writeFileSync(half, item(5))
    expect(await node.ended).toBe(0)
    checkAll(at, 20)
  })

  test('with a file that is no item has it failed, and done after all when it has changed by the next start', async () => {
    const at = place(5)
    writeFileSync(join(at.items, nameOf(2)), 'no numbers')
    expect(await start(at).ended).toBe(0)
    expect(linesOf(at.sink).filter(line => line.cause !== undefined)).toEqual([
      expect.objectContaining({
        item: nameOf(2),
        failed: true,
        cause: expect.stringContaining('is not a .npy file'),
        attempts: 0
      })
    ])
    expect(await start(at).ended).toBe(0)
    expect(linesOf(at.sink)).toHaveLength(5)
    writeFileSync(join(at.items, nameOf(2)), item(2))
    expect(await start(at).ended).toBe(0)
    const lines = linesOf(at.sink)
    expect(lines).toHaveLength(6)
    expect(lines.at(-1)).toMatchObject({ item: nameOf(2), datum: 2, result: { y: { data: [4, 5, -4, 2] } } })
  })

  test('with a FIFO and a folder that are called like items ends, and a FIFO that takes an item’s place holds nothing up', async () => {
    const at = place(12)
    spawnSync('mkfifo', [join(at.items, 'x.npy')])
    mkdirSync(join(at.items, 'y.npy'))
    const node = start(at, { options: `${SLOW},patience=1s` })
    await node.status(s => cam(s).completed >= 1)
    rmSync(join(at.items, nameOf(11)))
    spawnSync('mkfifo', [join(at.items, nameOf(11))])
    await node.status(s => cam(s).completed === 11)
    expect(await node.ended).toBe(1)
    expect(node.log()).toContain('source cam: skipped what is no file: x.npy (a FIFO), y.npy (a folder)')
    expect(linesOf(at.sink)).toHaveLength(11)
  })

  test('with a FIFO that takes an item’s place is left at once when the device is told to stop', async () => {
    const at = place(2)
    const node = start(at, { options: ',patience=1h,start=5s' })
    await node.status(s => cam(s).available === 2)
    rmSync(join(at.items, nameOf(1)))
    spawnSync('mkfifo', [join(at.items, nameOf(1))])
    await node.status(s => cam(s).completed === 1)
    node.child.kill('SIGTERM')
    expect(await node.ended).toEqual(expect.any(Number)) // ended by itself, not by the signal
  })

  test.skipIf(process.platform !== 'linux')(
    'with names that are not UTF-8: each is an item, then and after a restart',
    async () => {
      const at = place(1)
      const named = (byte: number): Buffer => Buffer.concat([Buffer.from(`${at.items}/f`), Buffer.from([byte])])
      writeFileSync(named(0xe8), item(8))
      writeFileSync(named(0xe9), item(9))
      expect(await start(at).ended).toBe(0)
      const results = () => linesOf(at.sink).map(line => `${line.item} ${line.result?.y.data[0]}`)
      expect(results().sort()).toEqual(['000.npy 0', 'f\\xe8 16', 'f\\xe9 18'])
      expect(await start(at).ended).toBe(0)
      expect(results()).toHaveLength(3)
    }
  )
})

describe('a sink', () => {
  const rotations: readonly [string, (sink: string, to: string) => void][] = [
    ['is renamed', (sink, to) => renameSync(sink, to)],
    [
      'is renamed and made anew',
      (sink, to) => {
        renameSync(sink, to)
        writeFileSync(sink, '')
      }
    ],
    [
      'is copied and truncated',
      (sink, to) => {
        copyFileSync(sink, to)
        truncateSync(sink, 0)
      }
    ]
  ]
  test.each(rotations)(
    'that %s in mid-run, twice, and is killed and started again: each result once',
    async (_, rotate) => {
      const at = place(80)
      const node = start(at, { options: PACED })
      const hasTen = () => vi.waitFor(() => expect(linesOf(at.sink).length).toBeGreaterThanOrEqual(10), PATIENT)
      for (let i = 0; i < 2; i++) {
        await hasTen()
        rotate(at.sink, `${at.sink}.${i}`)
      }
      await hasTen()
      node.child.kill('SIGKILL')
      await node.ended
      rotate(at.sink, `${at.sink}.2`)
      expect(await start(at).ended).toBe(0)
      checkAll(at, 80)
    }
  )

  test('that is deleted in mid-run is made anew, and what was in it is not done again', async () => {
    const at = place(60)
    const node = start(at, { options: PACED })
    await node.status(s => cam(s).completed >= 10)
    const before = linesOf(at.sink).map(line => line.item)
    rmSync(at.sink)
    const { sources } = (await node.event('done')) as { sources: ClusterStatus['sources'] }
    expect(await node.ended).toBe(0)
    expect(sources[0]?.completed).toBe(60)
    const after = linesOf(at.sink).map(line => line.item)
    expect(new Set([...before, ...after]).size).toBeGreaterThanOrEqual(before.length + after.length)
    expect(node.log()).toContain('was moved or deleted; going on in a new file')
    const again = start(at)
    expect(await again.ended).toBe(0)
    expect(linesOf(at.sink)).toHaveLength(after.length)
    expect(again.log()).toMatch(/data that are done have no line in it any more/)
  })

  test.each([
    ['a symbolic link', symlinkSync],
    ['a hard link', linkSync]
  ])('that another device names by %s is refused to it, with who has it', async (_, link) => {
    const at = place(40)
    const node = start(at, { options: ',start=1h' })
    await node.event('listening')
    const other = { ...at, sink: join(at.home, 'other.jsonl') }
    link(at.sink, other.sink)
    const second = start(other, { state: 'other' }, 'other')
    expect(await second.ended).toBe(2)
    expect(second.log()).toContain(
      `--sink ${other.sink}: is used by process ${node.child.pid}; stop it, or give another`
    )
    node.child.kill('SIGKILL')
    await node.ended
    expect(await start(other, { state: 'other' }, 'other').ended).toBe(0)
    expect(linesOf(at.sink)).toHaveLength(40)
  })

  test('and a state folder are held whatever the host is called: a device that was killed holds nothing', async () => {
    const at = place(40)
    const last = join(at.items, nameOf(39))
    const node = start(at, { options: `${PACED},patience=1h` })
    await node.status(s => cam(s).available === 40)
    rmSync(last)
    await node.status(s => cam(s).completed >= 2)
    const alias = `${at.home}-alias`
    symlinkSync(at.home, alias)
    const second = start({ ...at, home: alias, sink: join(at.home, 'second.jsonl') })
    expect(await second.ended).toBe(2)
    expect(second.log()).toMatch(/its state .* is used by process \d+/)
    node.child.kill('SIGKILL')
    await node.ended
    writeFileSync(last, item(39))
    const renamed = spawnSync(
      'unshare',
      ['--uts', 'sh', '-c', `hostname h${randomUUID().slice(0, 8)} && exec "$@"`, 'sh'].concat([
        ...[process.execPath, MAIN, 'node', '--name', 'cam', '--listen', '127.0.0.1:0', '--no-mdns', ...flagsOf(at)]
      ]),
      { encoding: 'utf8' }
    )
    // Where namespaces are not permitted the host keeps its name.
    if (renamed.status !== 0 && /unshare/.test(renamed.stderr)) expect(await start(at).ended).toBe(0)
    else expect([renamed.status, renamed.stderr]).toEqual([0, expect.not.stringContaining('is used')])
    checkAll(at, 40)
  })

  test('is all that is needed where the state was lost, and the state where the sink was', async () => {
    const at = place(12)
    expect(await start(at).ended).toBe(0)
    rmSync(join(at.home, 'state'), { recursive: true })
    expect(await start(at).ended).toBe(0)
    checkAll(at, 12)
    const moved = `${at.sink}.moved`
    renameSync(at.sink, moved)
    writeFileSync(join(at.items, nameOf(12)), item(12))
    expect(await start(at).ended).toBe(0)
    expect(linesOf(at.sink).map(line => line.item)).toEqual([nameOf(12)])
    checkAll(at, 13)
    expect(existsSync(join(dirname(moved), basename(moved)))).toBe(true)
  })
})
