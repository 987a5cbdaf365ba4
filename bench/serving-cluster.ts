/**
 * Four emulated devices that answer two crowds of clients: as a cluster of Tributary, asked at two of its nodes, and as servers of the
 * whole model behind a proxy, by turns or by fewest connections. Answers a second and their times, interleaved; and how far this
 * machine could not keep up with the devices that it emulates: what is late there is nobody's doing.
 * `npm run bench -- serving-cluster [seconds]`, with `--json` for all numbers.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { textTable } from '../src/report/text-table.ts'
import type { ClusterStatus } from '../src/runtime/device/device-status.ts'
import { type NodeProcess, startNode } from '../src/testing/node-process.ts'
import { layeredModel } from './layered-model.ts'
import { median, quantile } from './median.ts'

const ROUNDS = 5
const SECONDS = Number(process.argv.slice(2).find(word => /^\d+$/.test(word)) ?? 8)
/** Of each of the two crowds. */
const CLIENTS = 8
const BLOCKS = 6
/** Seconds of one datum at speed 1. */
const WORK = 0.09
const WIDTH = 512
const BLOCK_BYTES = 4 * WIDTH * WIDTH
/** Seconds until windows and plans have found their measure. */
const WARM = 10

interface Case {
  readonly name: string
  readonly speeds: readonly number[]
  /** Blocks that each has room for. */
  readonly room: readonly number[]
}

const CASES: readonly Case[] = [
  { name: 'equal', speeds: [0.375, 0.375, 0.375, 0.375], room: [6, 6, 6, 6] },
  { name: 'unequal', speeds: [0.8, 0.4, 0.2, 0.1], room: [6, 6, 6, 6] },
  { name: 'unequal, the weak ones have room for half', speeds: [0.8, 0.4, 0.2, 0.1], room: [6, 6, 3, 3] },
  { name: 'equal, none has room for all', speeds: [0.375, 0.375, 0.375, 0.375], room: [4, 4, 4, 4] }
]

/** Asks once; resolves when it is answered. */
type Ask = () => Promise<unknown>

/** Who answers: asked at as many doors as it has. */
interface Peer {
  readonly name: string
  readonly doors: readonly Ask[]
  /** Of the time in which its devices ran, what was beyond the emulated times: this machine was busy with something else. */
  readonly lateShare: () => Promise<number>
}

/** Seconds of one device. */
interface Lateness {
  readonly busy: number
  readonly late: number
}

const shareOf = (devices: readonly Lateness[]): number =>
  devices.reduce((sum, { late }) => sum + late, 0) / devices.reduce((sum, { busy }) => sum + busy, 0)

interface Load {
  readonly rate: number
  readonly times: readonly number[]
}

/** Answers a second of all clients, half of them at each door, and how long each took in milliseconds. */
const load = async ({ doors }: Peer, seconds: number): Promise<Load> => {
  const times: number[] = []
  const begun = performance.now()
  const isOver = (): boolean => performance.now() - begun >= seconds * 1000
  const client = async (ask: Ask): Promise<void> => {
    while (!isOver()) {
      const start = performance.now()
      await ask()
      if (!isOver()) times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: 2 * CLIENTS }, (_, i) => client(doors[i % doors.length]!)))
  return { rate: times.length / seconds, times }
}

const poster = (port: number | string, path: string, body: Buffer, headers: Record<string, string>): Ask => {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 2 * CLIENTS })
  return async () => {
    const { statusCode, body: answer } = await pool.request({ method: 'POST', path, body, headers })
    const bytes = await answer.arrayBuffer()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${Buffer.from(bytes)}`)
  }
}

const children: ChildProcess[] = []

/** A program of this bench. @returns its port */
const started = (name: string, ...args: readonly string[]): Promise<string> => {
  const file = fileURLToPath(new URL(`./serving/${name}.js`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).once('line', resolve)
    child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
  })
}

const tensor = Buffer.from(new Float32Array(WIDTH).fill(0.25).buffer)

/** Servers of the whole model where there is room for it, behind a proxy of each kind; none where there is no room. */
const proxied = async ({ speeds, room }: Case, file: string): Promise<readonly Peer[]> => {
  const whole = speeds.filter((_, i) => room[i]! >= BLOCKS)
  if (whole.length === 0) return []
  const ports = await Promise.all(
    whole.map(speed => started('emulated-server', file, `1x${WIDTH}`, String(WORK / speed)))
  )
  const headers = { 'content-type': 'application/octet-stream' }
  const latenessOf = async (port: string): Promise<Lateness> => {
    const answer = await fetch(`http://127.0.0.1:${port}/late`)
    return (await answer.json()) as Lateness
  }
  const lateShare = async (): Promise<number> => shareOf(await Promise.all(ports.map(latenessOf)))
  return Promise.all(
    ['round-robin', 'least-connections'].map(async how => ({
      name: `proxy, ${how}`,
      doors: [poster(await started('proxy', how, ...ports), '/infer', tensor, headers)],
      lateShare
    }))
  )
}

const clustered = async ({ speeds, room }: Case, file: string, folder: string): Promise<Peer> => {
  const works = Array.from({ length: BLOCKS }, () => `${WORK / BLOCKS}s`).join(',')
  const start = (n: number, ...flags: readonly string[]): NodeProcess => {
    const memory = Math.ceil((room[n]! + 0.5) * BLOCK_BYTES)
    const own = ['--state', join(folder, `device${n}`), '--speed', String(speeds[n]!), '--memory', `${memory}B`]
    const one = startNode(`device${n}`, [...own, '--controlled', ...flags])
    children.push(one.child)
    return one
  }
  const ownModel = ['--model', `${file}:m`, '--blocks', `m=${BLOCKS}`, '--work', `m=${works}`]
  const first = start(0, ...ownModel, '--serve', '0')
  const invite = String((await first.event('listening'))['invite'])
  const others = [1, 2, 3].map(n => start(n, '--join', invite, ...(n === 3 ? ['--serve', '0'] : [])))
  const placed = ({ devices, placement }: ClusterStatus): boolean =>
    devices.length === 4 && placement.ready && Object.keys(placement.models['m'] ?? {}).length > 1
  await first.status(placed)
  // What is emulated waits for the order to begin.
  for (const { child } of [first, ...others]) child.stdin!.write(`${JSON.stringify({ start: 0 })}\n`)
  const doors = await Promise.all([first, others[2]!].map(door => doorOf(door)))
  const lateShare = async (): Promise<number> => {
    const { devices } = await newStatus(first)
    return shareOf(devices.map(({ busySeconds, lateSeconds }) => ({ busy: busySeconds, late: lateSeconds })))
  }
  return { name: 'Tributary, at two nodes', doors, lateShare }
}

/** The next one: what came before is of a while ago. */
const newStatus = (device: NodeProcess): Promise<ClusterStatus> => {
  let isPast = true
  const status = device.status(() => !isPast)
  isPast = false
  return status
}

/** Of a node, when the model can be asked there. */
const doorOf = async (device: NodeProcess): Promise<Ask> => {
  const { http } = (await device.event('serving')) as unknown as { readonly http: { readonly port: number } }
  const ready = `http://127.0.0.1:${http.port}/v2/models/m/ready`
  while (!(await fetch(ready)).ok) await new Promise(resolve => setTimeout(resolve, 100))
  const input = { name: 'x', datatype: 'FP32', shape: [1, WIDTH], parameters: { binary_data_size: tensor.byteLength } }
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }))
  const headers = { 'Inference-Header-Content-Length': String(head.byteLength) }
  return poster(http.port, '/v2/models/m/infer', Buffer.concat([head, tensor]), headers)
}

const measure = async (of: Case, file: string, folder: string) => {
  const peers = [...(await proxied(of, file)), await clustered(of, file, folder)]
  for (const peer of peers) await load(peer, WARM)
  const loads = new Map(peers.map(({ name }) => [name, [] as Load[]]))
  for (let round = 0; round < ROUNDS; round++)
    for (const peer of peers) loads.get(peer.name)!.push(await load(peer, SECONDS))
  const late = new Map<string, number>()
  for (const { name, lateShare } of peers) late.set(name, await lateShare())
  for (const child of children.splice(0)) child.kill('SIGKILL')
  const rates = (name: string): readonly number[] => (loads.get(name) ?? []).map(({ rate }) => rate)
  const best = peers.slice(0, -1).toSorted((a, b) => median(rates(b.name)) - median(rates(a.name)))[0]
  return peers.map(({ name }) => {
    const times = loads.get(name)!.flatMap(one => one.times)
    const ratios = best === undefined ? [] : rates(name).map((rate, round) => rate / rates(best.name)[round]!)
    return {
      ...{ case: of.name, name, rate: median(rates(name)), ratios },
      ofCapacity: median(rates(name)) / (of.speeds.reduce((a, b) => a + b) / WORK),
      ...{ p50: quantile(times, 0.5), p99: quantile(times, 0.99), late: late.get(name)! }
    }
  })
}

const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-serving-'))
try {
  const file = join(folder, 'model.onnx')
  writeFileSync(file, layeredModel(BLOCKS, WIDTH))
  const rows = []
  for (const [i, of] of CASES.entries()) rows.push(...(await measure(of, file, join(folder, String(i)))))
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else {
    process.stdout.write(
      `four emulated devices of speeds that add up to 1.5, ${WORK * 1000} ms of work, ${2 * CLIENTS} clients, ${ROUNDS} rounds of ${SECONDS} s, medians; of the better proxy: median (least to most)\n\n`
    )
    process.stdout.write(
      textTable(
        ['devices', 'who answers', 'a second', 'of capacity', 'of the better proxy', 'p50', 'p99', 'machine late'].map(
          title => ({
            title
          })
        ),
        rows.map(({ case: of, name, rate, ofCapacity, ratios, p50, p99, late }) => [
          ...[of, name, rate.toFixed(1), ofCapacity.toFixed(2)],
          ratios.length === 0
            ? '-'
            : `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
          ...[`${p50.toFixed(0)} ms`, `${p99.toFixed(0)} ms`, late.toFixed(2)]
        ])
      )
    )
  }
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
