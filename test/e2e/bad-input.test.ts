import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { freePort } from '../../src/testing/mosquitto.ts'
import { type NodeProcess, runNodeProcess } from '../../src/testing/node-process.ts'
import { createSmallDisk, maySmallDisk, type SmallDisk } from '../../src/testing/small-disk.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'

// One device with a door of each kind, at each of which something is wrong: who caused it is told, and everybody else's work goes on.

const HAS_FFMPEG = spawnSync('ffmpeg', ['-version']).error === undefined
const MAY_BE_FULL = maySmallDisk()
const PATIENCE = { timeout: 20_000, interval: 100 }
const STEADY = 150

let folder: string
let disk: SmallDisk | undefined
let node: NodeProcess
let image: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-bad-'))
  disk = MAY_BE_FULL ? createSmallDisk(64) : undefined
  image = await sharp({ create: { width: 8, height: 6, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
})
afterAll(async () => {
  node?.child.kill('SIGKILL')
  await node?.ended
  disk?.[Symbol.dispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Line {
  readonly source: string
  readonly datum: number
  readonly item: string
  readonly result?: unknown
  readonly cause?: string
  readonly availableAt: number
  readonly doneAt: number
}
const linesOf = async (file: string, source: string): Promise<Line[]> =>
  (await readFile(file, 'utf8').catch(() => ''))
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Line)
    .filter(line => line.source === `${source}@porch`)
const told = (lines: readonly Line[]): string[] =>
  lines.map(({ item, cause }) => `${item}: ${cause ?? 'a result'}`).sort()

/** Takes connections and says nothing. */
const silentServer = async () => {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => sockets.add(socket.on('error', () => {}).resume()))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

/** Answers 500 until it is told to take what it is sent. */
const webhook = async () => {
  const taken: string[] = []
  const at = { isUp: false }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request) text += piece
    if (at.isUp) taken.push(JSON.parse(text).item)
    response.writeHead(at.isUp ? 200 : 500).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(at, {
    taken,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve()))
  })
}

const flagsOf = async (ports: { readonly silent: number; readonly hook: number; readonly nobody: number }) => {
  const [x, y] = [['float32', [1, 3, 4, 4]] as const, ['float32', [1, 3, 1, 1]] as const]
  const nodes = [{ opType: 'GlobalAveragePool', input: ['x'], output: ['y'] }]
  await writeFile(join(folder, 'net.onnx'), tinyOnnx({ inputs: { x }, outputs: { y }, nodes }))
  await writeFile(join(folder, 'io.yaml'), 'input: { resize: { width: 4, height: 4 } }\noutput: { kind: npy }\n')
  await mkdir(join(folder, 'dir'))
  await mkdir(join(folder, 'watch'))
  await writeFile(join(folder, 'dir', 'a.png'), image)
  await writeFile(join(folder, 'dir', 'b.png'), 'this is no image')
  await writeFile(join(folder, 'broken.mkv'), 'this is no video')
  const sources = [
    `steady=synthetic:${STEADY},arrivals=every:50ms`,
    `dir=dir:${join(folder, 'dir')}`,
    `watch=watch:${join(folder, 'watch')},settle=0s`,
    'lines=stdin:',
    `silent=mqtt://127.0.0.1:${ports.silent}/t`,
    ...(HAS_FFMPEG
      ? [`broken=video:${join(folder, 'broken.mkv')}`, `away=video:rtsp://me:se/cret@127.0.0.1:${ports.nobody}/cam`]
      : [])
  ].map(text => `${text},model=net`)
  const videos = HAS_FFMPEG ? '+broken+away' : ''
  const sinks = [
    `${join(folder, 'steady.jsonl')},sources=steady`,
    `${join(folder, 'all.jsonl')},sources=dir+watch+lines+silent${videos}`,
    `webhook:http://127.0.0.1:${ports.hook}/,sources=lines`,
    `mqtt://127.0.0.1:${ports.silent}/out,timeout=1s,sources=dir`,
    ...(disk === undefined ? [] : [`${join(disk.folder, 'watch.jsonl')},sources=watch`])
  ]
  return [
    ...[
      '--state',
      join(folder, 'state'),
      '--model',
      `${join(folder, 'net.onnx')}:net`,
      '--io',
      join(folder, 'io.yaml')
    ],
    ...sources.flatMap(source => ['--source', source]),
    ...sinks.flatMap(sink => ['--sink', sink])
  ]
}

test('something is wrong at each door of a device: it is told by its name, and everybody else goes on', async () => {
  await using silent = await silentServer()
  await using hook = await webhook()
  const nobody = await freePort()
  const all = join(folder, 'all.jsonl')
  const put = async (name: string, bytes: Buffer | string): Promise<void> => {
    await writeFile(join(folder, name), bytes)
    await rename(join(folder, name), join(folder, 'watch', name))
  }
  const flags = await flagsOf({ silent: silent.port, hook: hook.port, nobody })
  node = runNodeProcess('porch', ['--listen', '127.0.0.1:0', '--no-mdns', '--json-events', ...flags])
  const { child } = node
  let last: ClusterStatus | undefined
  node
    .status(status => {
      last = status
      return false
    })
    .catch(() => {}) // it has ended
  const sourceIs = (name: string, wanted: object) =>
    vi.waitFor(() => expect(last?.sources.find(source => source.name === name)).toMatchObject(wanted), PATIENCE)
  await node.status(({ sources }) => sources.some(({ name, completed }) => name === 'steady' && completed > 0))

  // Items that are none: of a folder, of one that grows, of standard input.
  child.stdin!.write(
    `{"name":"good","image":"${image.toString('base64')}"}\n{"name":"bad","image":"aGVsbG8="}\nnonsense\n`
  )
  await put('c.png', image)
  await put('d.png', image.subarray(0, 40))
  await vi.waitFor(async () => {
    expect(told(await linesOf(all, 'dir'))).toEqual([
      'a.png: a result',
      expect.stringMatching(/^b.png: .*b.png: is not an image/)
    ])
    expect(told(await linesOf(all, 'watch'))).toEqual([
      'c.png: a result',
      expect.stringMatching(/^d.png: .*d.png: is not an image/)
    ])
    expect(told(await linesOf(all, 'lines'))).toEqual([
      expect.stringMatching(/^bad: bad: is not an image/),
      'good: a result',
      expect.stringMatching(/^line 3: line 3: .*JSON/)
    ])
  }, PATIENCE)

  // A disk that is full, a folder that vanishes.
  const many = Array.from({ length: 30 }, (_, i) => `e${i}.png`)
  if (disk !== undefined) {
    disk.fill()
    for (const name of many) await put(name, image) // the last page of the file has room for some
    await sourceIs('watch', { state: 'sink stuck', because: expect.stringMatching(/watch\.jsonl.*the disk is full/) })
    disk.free()
    const kept = join(disk.folder, 'watch.jsonl')
    await vi.waitFor(
      async () =>
        expect(told(await linesOf(kept, 'watch'))).toEqual(
          expect.arrayContaining(many.map(name => `${name}: a result`))
        ),
      PATIENCE
    )
  }
  await rename(join(folder, 'watch'), join(folder, 'watch-away'))
  const vanished = /source watch: watch:.*: there is no such file or folder.*looked for again/
  await vi.waitFor(() => expect(node.log()).toMatch(vanished), PATIENCE)
  await rename(join(folder, 'watch-away'), join(folder, 'watch'))
  await put('f.png', image)
  await vi.waitFor(async () => expect(told(await linesOf(all, 'watch'))).toContain('f.png: a result'), PATIENCE)

  // A webhook that answers 500, a broker that takes connections and is silent: as source and as sink.
  const waits = (because: RegExp) => ({ waiting: expect.any(Number), because: expect.stringMatching(because) })
  await sourceIs('lines', { deliveries: [waits(/answers 500/)] })
  await sourceIs('dir', { deliveries: [waits(/has not answered within 1 s/)] })
  await vi.waitFor(() => expect(node.log()).toMatch(/source silent: mqtt:.*connack timeout; tried again/), PATIENCE)
  hook.isUp = true
  await vi.waitFor(() => expect(hook.taken.toSorted()).toEqual(['bad', 'good', 'line 3']), PATIENCE)
  await sourceIs('lines', { completed: 1, failed: 2, deliveries: [{ waiting: 0, because: '' }] })

  // A video that is none, a camera that is away: each is told, the password is not.
  if (HAS_FFMPEG) {
    await sourceIs('broken', { state: 'failed', because: expect.stringMatching(/broken\.mkv/) })
    await sourceIs('away', { state: 'running' })
    expect(node.log().match(/source away: video:rtsp:\/\/\*\*\*@127.*; tried again/g)).toHaveLength(1)
  }
  expect(node.log()).not.toMatch(/cret/)

  // Nobody else's work has suffered.
  await sourceIs('steady', { state: 'done', completed: STEADY, failed: 0, dropped: 0 })
  const steady = await linesOf(join(folder, 'steady.jsonl'), 'steady')
  expect(steady.map(({ datum }) => datum).sort((a, b) => a - b)).toEqual(
    Array.from({ length: STEADY }, (_, datum) => datum)
  )
  const times = steady.map(({ availableAt, doneAt }) => doneAt - availableAt).sort((a, b) => a - b)
  expect(times[Math.floor(STEADY / 2)]).toBeLessThan(1)
  child.kill('SIGTERM')
  expect(await node.ended).toBe(0)
})
