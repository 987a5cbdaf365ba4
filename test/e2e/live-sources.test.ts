import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { parseMqttAddress } from '../../src/runtime/io/mqtt-address.ts'
import { encodeNpy } from '../../src/runtime/io/npy.ts'
import { openMqtt } from '../../src/runtime/io/open-mqtt.ts'
import { createMosquitto, hasMosquitto } from '../../src/testing/mosquitto.ts'
import { type NodeProcess, runNodeProcess } from '../../src/testing/node-process.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'
import { start } from '../started-nodes.ts'

const PATIENCE = { timeout: 60_000, interval: 100 }
let folder: string
let model: string
const alive: NodeProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-live-'))
  model = join(folder, 'net.onnx')
  // y = x + x
  const tensor = ['float32', [1, 2]] as const
  const add = { opType: 'Add', input: ['x', 'x'], output: ['y'] }
  await writeFile(model, tinyOnnx({ inputs: { x: tensor }, outputs: { y: tensor }, nodes: [add] }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(({ ended }) => ended))
})

const flagsOf = (name: string, source: string, rotation = '') => {
  const sink = join(folder, `${name}.jsonl`)
  const flags = ['--state', join(folder, name), '--model', `${model}:net`, '--preset', 'raw', '--sink', sink + rotation]
  return { sink, flags: [...flags, '--source', source, '--exit-when-done'] }
}
/** Of the sink and of what was rotated away. */
const linesInAll = async (sink: string) => {
  const names = (await readdir(folder)).filter(name => name.startsWith(basename(sink)))
  return (await Promise.all(names.map(name => linesIn(join(folder, name))))).flat()
}
/** Whole ones: the last may be being written. */
const linesIn = async (sink: string) =>
  (await readFile(sink, 'utf8').catch(() => ''))
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))
const resultsOf = <T extends object>(lines: readonly T[]): readonly T[] => lines.filter(line => 'result' in line)
const tensor = (value: number) =>
  encodeNpy({ type: 'float32', dims: [1, 2], data: new Uint8Array(Float32Array.of(value, 1).buffer) })

test('lines on standard input are computed, and one that is none has failed while the others go on', async () => {
  const { sink, flags } = flagsOf('lines', 'in=stdin:,model=net')
  const node = runNodeProcess('lines', ['--listen', '127.0.0.1:0', '--no-mdns', '--json-events', ...flags])
  alive.push(node)
  for (let i = 0; i < 20; i++)
    node.child.stdin!.write(`{"name":"item ${i}","tensors":{"x":{"dims":[1,2],"data":[${i},1]}}}\n`)
  node.child.stdin!.end('{"tensors":{"x":{"dims":[3],"data":[1,2,3]}}}\nnonsense\n')
  expect(await node.ended).toBe(1) // two have failed
  const lines = await linesIn(sink)
  expect(lines.map(({ datum }) => datum).sort((a, b) => a - b)).toEqual(Array.from({ length: 22 }, (_, i) => i))
  for (const { datum, item, result } of lines.filter(line => 'result' in line))
    expect([item, result.y.data]).toEqual([`item ${datum}`, [2 * datum, 2]])
  const causes = lines.filter(line => line.failed).map(({ item, cause }) => `${item}: ${cause}`)
  expect(causes.sort()).toEqual([
    expect.stringMatching(/^line 21: tensor "x": its shape \(3\) does not fit/),
    expect.stringMatching(/^line 22: line 22: .*JSON/)
  ])
})

test('a folder that grows: each file has one result, also across two kills -9 in its midst, and a sink that is rotated', async () => {
  const source = join(folder, 'growing')
  await mkdir(source)
  const { sink, flags } = flagsOf('watch', `in=watch:${source},settle=0s,window=2,model=net,count=200`, ',rotate=4KiB')
  const put = async (i: number): Promise<void> => {
    await writeFile(join(folder, `${i}.part`), tensor(i))
    await rename(join(folder, `${i}.part`), join(source, `${i}.npy`))
  }
  for (let i = 0; i < 30; i++) await put(i)
  const first = start('watch', [...flags, '--work', 'net=20ms', '--speed', '0.5'])
  await first.status(({ sources }) => sources.some(({ completed }) => completed >= 5))
  first.child.kill('SIGKILL')
  await first.ended
  for (let i = 30; i < 60; i++) await put(i)
  const second = start('watch', [...flags, '--work', 'net=20ms', '--speed', '0.5'])
  await vi.waitFor(async () => expect(resultsOf(await linesInAll(sink)).length).toBeGreaterThan(40), PATIENCE)
  second.child.kill('SIGKILL')
  await second.ended
  start('watch', flags)
  await vi.waitFor(async () => expect(resultsOf(await linesInAll(sink)).length).toBeGreaterThanOrEqual(60), PATIENCE)
  const lines = await linesInAll(sink)
  const results = resultsOf(lines)
  expect(results.map(({ item }) => item).sort()).toEqual(Array.from({ length: 60 }, (_, i) => `${i}.npy`).sort())
  for (const { item, result } of results) expect(result.y.data).toEqual([2 * Number.parseInt(item, 10), 2])
  expect((await readdir(folder)).filter(name => name.startsWith(basename(sink))).length).toBeGreaterThan(2)
  // What was under way when it was killed is said, by its number, and was done under another.
  const gone = lines.filter(line => line.dropped)
  expect(new Set(gone.map(({ reason }) => reason))).toEqual(new Set(gone.length > 0 ? ['stopped'] : []))
  expect(new Set(lines.map(({ datum }) => datum)).size).toBe(lines.length)
})

test.skipIf(spawnSync('ffmpeg', ['-version']).status !== 0)(
  'every frame of a video has its own right answer',
  async () => {
    const clip = join(folder, 'clip.mkv')
    const level = 'N*8'
    const source = `color=size=64x48:rate=10:duration=3,format=gbrp,geq=r='${level}':g='${level}':b='${level}'`
    const made = ['-loglevel', 'error', '-f', 'lavfi', '-i', source, '-c:v', 'ffv1', clip]
    expect(spawnSync('ffmpeg', made, { encoding: 'utf8' }).stderr).toBe('')
    const pooling = { opType: 'GlobalAveragePool', input: ['x'], output: ['y'] }
    const [x, y] = [['float32', [1, 3, 24, 32]] as const, ['float32', [1, 3, 1, 1]] as const]
    const brightness = join(folder, 'brightness.onnx')
    await writeFile(brightness, tinyOnnx({ inputs: { x }, outputs: { y }, nodes: [pooling] }))
    const io = join(folder, 'io.yaml')
    await writeFile(io, 'input: { resize: { width: 32, height: 24 } }\noutput: { kind: npy }\n')
    const sink = join(folder, 'video.jsonl')
    const flags = ['--state', join(folder, 'video'), '--model', `${brightness}:net`, '--io', io, '--sink', sink]
    const node = start('video', [...flags, '--source', `cam=video:${clip},model=net`, '--exit-when-done'])
    expect(await node.ended).toBe(0)
    const lines = await linesIn(sink)
    expect(lines.map(({ item }) => item).sort()).toEqual(Array.from({ length: 30 }, (_, n) => `frame ${n}`).sort())
    for (const { item, result } of lines)
      for (const value of result.y.data.flat(9)) expect(value).toBeCloseTo((8 * Number(item.split(' ')[1])) / 255, 2)
  }
)

test.skipIf(!hasMosquitto())(
  'each message has an outcome, also where the broker and the device are killed on the way',
  async () => {
    const broker = await createMosquitto()
    await broker.start()
    const address = parseMqttAddress(`mqtt://127.0.0.1:${broker.port}/yard`, 'the test')
    const writer = await openMqtt({ address, clientId: 'writer', say: () => {} })
    try {
      const { sink, flags } = flagsOf('mqtt', `in=mqtt://127.0.0.1:${broker.port}/yard/+,window=2,model=net`)
      const first = start('mqtt', flags)
      await first.status(({ sources }) => sources.some(({ state }) => state === 'running'))
      const send = (i: number) =>
        writer.publish('yard/a', `{"name":"${i}","tensors":{"x":{"dims":[1,2],"data":[${i},1]}}}`)
      const names = async () => new Set((await linesIn(sink)).filter(line => 'result' in line).map(({ item }) => item))
      const named = async (count: number): Promise<void> => {
        while ((await names()).size < count) await new Promise(resolve => setTimeout(resolve, 50))
      }
      // What is sent before the topic is subscribed to reaches nobody: until the first has come through.
      for (let first = names(); (await first).size === 0; first = names()) {
        await send(0)
        await new Promise(resolve => setTimeout(resolve, 200))
      }
      for (let i = 1; i < 10; i++) await send(i)
      await named(10)
      await broker.stop()
      await broker.start()
      for (let i = 10; i < 20; i++) await send(i)
      await named(12)
      first.child.kill('SIGKILL')
      await first.ended
      start('mqtt', flags)
      await named(20)
      await send(20)
      await named(21)
      for (const { item, result } of (await linesIn(sink)).filter(line => 'result' in line))
        expect(result.y.data).toEqual([2 * Number(item), 2])
    } finally {
      await writer.stop()
      await broker.stop()
    }
  }
)
