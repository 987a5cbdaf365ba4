import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { seconds } from '../src/core/units.ts'
import { parseMqttAddress } from '../src/runtime/io/mqtt-address.ts'
import { openMqtt } from '../src/runtime/io/open-mqtt.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { createMosquitto, hasMosquitto } from '../src/testing/mosquitto.ts'
import type { NodeProcess } from '../src/testing/node-process.ts'
import { tinyOnnx } from '../src/testing/tiny-onnx.ts'
import { start } from './started-nodes.ts'

/** What it needs beside Node, where it is not there. */
export const lacksForLoad = (): string | undefined => {
  if (process.platform !== 'linux') return 'Linux'
  if (spawnSync('ffmpeg', ['-version']).error !== undefined) return 'ffmpeg'
  return hasMosquitto() ? undefined : 'mosquitto'
}

// Twenty-four streams at three devices: cameras, topics of a broker, folders that grow. One ffmpeg and the broker are killed on the way.

const DEVICES = ['porch', 'shed', 'attic'] as const
/** As docs/runtime.md says of devices that are to live for weeks. */
const LONG_LIVED = {
  NODE_OPTIONS: '--max-semi-space-size=4',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072'
}
const KINDS = ['video', 'video', 'video', 'video', 'mqtt', 'mqtt', 'watch', 'watch'] as const

interface Load {
  /** Of each device, from when all streams run: resident bytes and open files, every five seconds. */
  readonly memory: readonly (readonly number[])[]
  readonly handles: readonly (readonly number[])[]
  readonly outcomes: Readonly<Record<string, number>>
}

/** @param duration in seconds, once all streams run */
const loadStreams = async (folder: string, duration: number): Promise<Load> => {
  const broker = await createMosquitto()
  await broker.start()
  const nodes: NodeProcess[] = []
  try {
    nodes.push(...(await startDevices(folder, broker.port)))
    await Promise.all(nodes.map(node => node.status(({ sources }) => flowing(sources, node.name) === KINDS.length)))
    const memory = nodes.map((): number[] => [])
    const handles = nodes.map((): number[] => [])
    const over = new AbortController()
    const feeding = feed(folder, broker.port, over.signal)
    for (let passed = 0; passed < duration; passed += 5) {
      await Promise.race([systemClock.sleep(seconds(5)), ...nodes.map(mustLive)])
      for (const [i, { child }] of nodes.entries()) {
        memory[i]!.push(residentBytes(await readFile(`/proc/${child.pid}/status`, 'utf8')))
        handles[i]!.push((await readdir(`/proc/${child.pid}/fd`)).length)
      }
      if (passed % 20 === 5) killFfmpeg(nodes[(passed / 5) % nodes.length]!)
      if (passed % 60 === 10) {
        await broker.stop('SIGKILL')
        await broker.start()
      }
    }
    over.abort()
    await feeding
    const outcomes = await settle(folder, nodes)
    return { memory, handles, outcomes }
  } finally {
    for (const { child } of nodes) child.kill('SIGKILL')
    await broker.stop()
  }
}

/** Rejects when it ends. */
const mustLive = async ({ name, ended, log }: NodeProcess): Promise<never> => {
  throw new Error(`${name} has ended (${await ended}), the last that it said:\n${log().slice(-4000)}`)
}

const sourcesOf = (folder: string, device: string, port: number): string[] =>
  KINDS.map((kind, i) => {
    const name = `${kind}-${i}`
    if (kind === 'video') return `${name}=video:testsrc=size=64x48:rate=2,format=lavfi,pace=real,window=2,model=net`
    if (kind === 'mqtt') return `${name}=mqtt://127.0.0.1:${port}/${device}/${i},window=2,model=net`
    return `${name}=watch:${join(folder, device, name)},settle=0s,window=2,model=net`
  }).flatMap(source => ['--source', source])

const startDevices = async (folder: string, port: number): Promise<NodeProcess[]> => {
  const model = join(folder, 'net.onnx')
  const pooling = { opType: 'GlobalAveragePool', input: ['x'], output: ['y'] }
  const [x, y] = [['float32', [1, 3, 24, 32]] as const, ['float32', [1, 3, 1, 1]] as const]
  await writeFile(model, tinyOnnx({ inputs: { x }, outputs: { y }, nodes: [pooling] }))
  const io = join(folder, 'io.yaml')
  await writeFile(io, 'input: { resize: { width: 32, height: 24 } }\noutput: { kind: npy }\n')
  const flagsOf = async (device: string): Promise<string[]> => {
    for (const [i, kind] of KINDS.entries())
      if (kind === 'watch') await mkdir(join(folder, device, `watch-${i}`), { recursive: true })
    const own = ['--state', join(folder, device, 'state'), '--sink', join(folder, device, 'sink.jsonl')]
    return [...own, '--io', io, ...sourcesOf(folder, device, port)]
  }
  const first = start(DEVICES[0], [...(await flagsOf(DEVICES[0])), '--model', `${model}:net`], LONG_LIVED)
  const { invite } = await first.event('listening')
  const others = []
  for (const device of DEVICES.slice(1))
    others.push(start(device, [...(await flagsOf(device)), '--join', String(invite)], LONG_LIVED))
  return [first, ...others]
}

type Sources = Awaited<ReturnType<NodeProcess['status']>>['sources']

const flowing = (sources: Sources, device: string): number =>
  sources.filter(source => source.device === device && source.state === 'running').length

const feed = async (folder: string, port: number, signal: AbortSignal): Promise<void> => {
  const address = parseMqttAddress(`mqtt://127.0.0.1:${port}/x`, 'the test')
  await using writer = await openMqtt({ address, clientId: 'writer', say: () => {} })
  const picture = ['-frames:v', '1', '-c:v', 'png', '-f', 'image2pipe', '-']
  const image = spawnSync('ffmpeg', [
    '-loglevel',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=size=64x48',
    ...picture
  ]).stdout
  for (let i = 0; !signal.aborted; i++) {
    for (const device of DEVICES)
      for (const [k, kind] of KINDS.entries()) {
        if (kind === 'mqtt')
          void writer.publish(`${device}/${k}`, i % 50 === 49 ? 'this is no image' : image).catch(() => {})
        if (kind === 'watch') await put(join(folder, device), `watch-${k}`, `${i}.png`, image)
      }
    await systemClock.sleep(seconds(1), { signal }).catch(() => {})
  }
}

const put = async (folder: string, source: string, name: string, bytes: Uint8Array): Promise<void> => {
  await writeFile(join(folder, `${name}.part`), bytes)
  await rename(join(folder, `${name}.part`), join(folder, source, name))
}

/** Of this device, any one. */
const killFfmpeg = ({ child }: NodeProcess): void => {
  const { stdout } = spawnSync('pgrep', ['-P', String(child.pid), 'ffmpeg'], { encoding: 'utf8' })
  const [pid] = stdout.trim().split('\n')
  if (pid !== undefined && pid !== '') process.kill(Number(pid), 'SIGKILL')
}

const residentBytes = (status: string): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)![1])

interface Line {
  readonly source: string
  readonly datum: number
  readonly result?: unknown
  readonly reason?: string
}

/** All is told to stop; then each datum that was born has one line, or is the one that was under way. */
const settle = async (folder: string, nodes: readonly NodeProcess[]): Promise<Record<string, number>> => {
  const outcomes: Record<string, number> = {}
  for (const node of nodes) node.child.kill('SIGTERM')
  for (const node of nodes) await node.ended
  for (const { name } of nodes) {
    const lines = (await readFile(join(folder, name, 'sink.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Line)
    const bySource = new Map<string, Line[]>()
    for (const line of lines) bySource.set(line.source, [...(bySource.get(line.source) ?? []), line])
    expect(bySource.size).toBe(KINDS.length)
    for (const [source, own] of bySource) {
      const numbers = own.map(({ datum }) => datum).sort((a, b) => a - b)
      expect(new Set(numbers).size, source).toBe(numbers.length)
      // What was under way when it was told to stop has no line yet.
      expect(numbers.at(-1)! + 1 - numbers.length, source).toBeLessThanOrEqual(4)
      for (const line of own) {
        const kind = 'result' in line ? 'result' : (line.reason ?? 'failed')
        outcomes[kind] = (outcomes[kind] ?? 0) + 1
      }
    }
  }
  return outcomes
}

/** Each item has one outcome and no process keeps more and more. @param megabytes that one may have grown by a minute */
export const expectStreamsHeld = async (seconds: number, megabytes: number): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-load-'))
  const load = await loadStreams(folder, seconds)
  process.stderr.write(`24 streams, ${seconds} s: ${JSON.stringify(load.outcomes)}\n`)
  for (const [i, name] of DEVICES.entries()) {
    const at = (share: number, series: readonly number[]): number => series[Math.floor(share * (series.length - 1))]!
    const tenths = Array.from({ length: 11 }, (_, n) => (at(n / 10, load.memory[i]!) / 2 ** 20).toFixed(0))
    const files = [0, 0.5, 1].map(share => at(share, load.handles[i]!))
    process.stderr.write(`  ${name}: MiB ${tenths.join(' ')}; open files ${files.join(' ')}\n`)
  }
  // 12 cameras at two frames a second, 12 topics and folders at one item a second.
  expect(load.outcomes['result']).toBeGreaterThan(0.5 * 36 * seconds)
  expectFlat(load, seconds, megabytes)
  await rm(folder, { recursive: true, force: true })
}

/** No process keeps more and more. @param seconds how long it ran @param megabytes that one may have grown by a minute */
const expectFlat = ({ memory, handles }: Load, seconds: number, megabytes: number): void => {
  for (const [i, name] of DEVICES.entries()) {
    const [files, resident] = [handles[i]!, memory[i]!]
    // Sockets and pipes come and go; what leaks grows with each kill.
    expect(Math.max(...files.slice(-3)) - Math.min(...files.slice(0, 3)), `open files of ${name}`).toBeLessThan(20)
    const part = (from: number, to: number): number =>
      mean(resident.slice(from * resident.length, to * resident.length))
    const minutes = (seconds / 60) * 0.5
    const growth = (part(0.75, 1) - part(0.25, 0.5)) / 2 ** 20 / minutes
    expect(growth, `MB a minute of ${name}`).toBeLessThan(megabytes)
  }
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
