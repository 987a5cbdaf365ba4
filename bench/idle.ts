import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { TensorProto_DataType as T } from 'onnx-buf'
import { buildModel, floats, node, value } from '../src/testing/onnx-builder.ts'
import { judge } from './judge.ts'
import { median } from './median.ts'

// What a device costs that has nothing to do, as Linux accounts it: processor, wake-ups and memory, in clusters of several
// sizes, one of them with a model whose blocks are placed. Budgets, for four: 1.5 % of a core, 90 MB resident without blocks.
// `npm run bench -- idle [sizes]`

const SIZES = process.argv.slice(2).flatMap(word => (/^\d+$/.test(word) ? [Number(word)] : []))
/** Seconds until a cluster in which nothing happens knows that. */
const CALM = 20
/** Seconds that are measured. */
const SPAN = 30

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))

interface Idle {
  /** Of a core, 0 to 1. */
  readonly processor: number
  /** A second. */
  readonly wakes: number
  /** Bytes. */
  readonly resident: number
  /** Of these, what no other process shares. */
  readonly own: number
}

interface Process {
  readonly child: ChildProcess
  log: string
}

const start = (folder: string, name: string, flags: readonly string[]): Process => {
  const own = ['--name', name, '--listen', '127.0.0.1:0', '--no-mdns', '--print-invite', '--state', join(folder, name)]
  const child = spawn(process.execPath, [main, 'node', ...own, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const started = { child, log: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      started.log += chunk
    })
  return started
}

/** The first match in what a device says, past or to come, on either of its outputs. */
const said = async (device: Process, what: RegExp): Promise<string> => {
  for (;;) {
    const [match] = what.exec(device.log) ?? []
    if (match !== undefined) return match
    if (device.child.exitCode !== null) throw new Error(`a device has ended:\n${device.log}`)
    await Promise.race([
      once(device.child.stdout!, 'data'),
      once(device.child.stderr!, 'data'),
      once(device.child, 'exit')
    ])
  }
}

const MODEL = { blocks: 8, width: 64 }

const model = (): Uint8Array => {
  const layers = Array.from({ length: MODEL.blocks }, (_, i) => i)
  const shape = [1, MODEL.width]
  return buildModel({
    inputs: [value('x', T.FLOAT, shape)],
    outputs: [value('y', T.FLOAT, shape)],
    weights: layers.map(i => floats(`w${i}`, [MODEL.width, MODEL.width], 0.03 + i / 1000)),
    nodes: layers.flatMap(i => [
      node('MatMul', [i === 0 ? 'x' : `r${i - 1}`, `w${i}`], [`m${i}`]),
      node('Relu', [`m${i}`], [i === MODEL.blocks - 1 ? 'y' : `r${i}`])
    ])
  })
}

/** Ticks of 10 ms of processor; the second field of the line, a name in parentheses, may hold spaces. */
const ticksOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** How often any of its threads has gone to sleep. */
const wakesOf = async (pid: number): Promise<number> => {
  const threads = await readdir(`/proc/${pid}/task`)
  const counts = threads.map(async thread => {
    const status = await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8').catch(() => '')
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  })
  return (await Promise.all(counts)).reduce((a, b) => a + b, 0)
}

const memoryOf = async (pid: number): Promise<Pick<Idle, 'resident' | 'own'>> => {
  const smaps = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const of = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(smaps)?.[1])
  return { resident: of('Rss'), own: of('Private_Clean') + of('Private_Dirty') }
}

const measure = async (pid: number): Promise<Idle> => {
  const [ticks, wakes] = [await ticksOf(pid), await wakesOf(pid)]
  const began = performance.now()
  await wait(SPAN * 1000)
  const seconds = (performance.now() - began) / 1000
  return {
    processor: ((await ticksOf(pid)) - ticks) / 100 / seconds,
    wakes: ((await wakesOf(pid)) - wakes) / seconds,
    ...(await memoryOf(pid))
  }
}

/** The devices of a cluster in which nothing happens. */
const idle = async (folder: string, size: number, flags: readonly string[]): Promise<readonly Idle[]> => {
  const first = start(folder, 'device0', flags)
  const devices = [first]
  try {
    const invite = await said(first, /tributary\d:\S+/)
    for (let n = 1; n < size; n++) devices.push(start(folder, `device${n}`, ['--join', invite]))
    for (const one of devices)
      for (const other of devices)
        if (other !== one) await said(one, new RegExp(`: device${devices.indexOf(other)} is there`))
    await wait(CALM * 1000)
    return await Promise.all(devices.map(({ child }) => measure(child.pid!)))
  } finally {
    for (const { child } of devices) child.kill('SIGKILL')
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
const megabytes = (size: number): string => `${(size / 1e6).toFixed(0)} MB`

const report = async (folder: string, size: number, flags: readonly string[]): Promise<void> => {
  await mkdir(folder)
  const devices = await idle(folder, size, flags)
  const of = (what: keyof Idle): number => median(devices.map(device => device[what]))
  const most = Math.max(...devices.map(({ processor }) => processor))
  const what = `${size === 1 ? 'a device alone' : `each of ${size}`}${flags.length === 0 ? '' : ', with blocks'}`
  const processor = `${percent(of('processor'))} of a core (at most ${percent(most)}), ${of('wakes').toFixed(0)} wake-ups a second`
  const memory = `${megabytes(of('resident'))} resident, ${megabytes(of('own'))} its own`
  process.stdout.write(
    size === 4 ? judge(what, processor, of('processor'), { atMost: 0.015 }) : `${what} ${processor}\n`
  )
  process.stdout.write(
    size === 4 && flags.length === 0 ? judge(what, memory, of('resident'), { atMost: 90e6 }) : `${what} ${memory}\n`
  )
}

const folder = await mkdtemp(join(tmpdir(), 'tributary-idle-'))
try {
  const file = join(folder, 'model.onnx')
  await writeFile(file, model())
  const cases = SIZES.length > 0 ? SIZES : [1, 2, 4, 10]
  for (const [i, size] of cases.entries()) await report(join(folder, `${i}`), size, [])
  if (SIZES.length === 0)
    await report(join(folder, 'model'), 4, ['--model', `${file}:m`, '--blocks', `m=${MODEL.blocks}`])
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
