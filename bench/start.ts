import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type NodeProcess, startNode } from '../src/testing/node-process.ts'
import { judge } from './judge.ts'
import { layeredModel } from './layered-model.ts'
import { median } from './median.ts'

// From the start of a device's process until others can join it, each time from an empty state folder: it makes its identity
// and measures its speed. Budget: 1.5 s. And of a device with a source that comes to an idle cluster of three, which has a
// model: from where it listens until the first result is home, and until it has served a block that was placed on it.
// Budget: 3 s.

const STARTS = 9
const JOINS = 5
/** Seconds in which a cluster comes to rest. */
const CALM = 15

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'tributary-start-'))

const start = async (n: number): Promise<{ readonly wall: number; readonly processor: number | undefined }> => {
  const flags = ['node', '--name', 'start', '--listen', '127.0.0.1:0', '--no-mdns', '--json-events']
  const began = performance.now()
  const child = spawn(process.execPath, [main, ...flags, '--state', join(folder, `${n}`)], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  await new Promise<void>(resolve => child.stdout.on('data', text => String(text).includes('"listening"') && resolve()))
  const wall = (performance.now() - began) / 1000
  // Clock ticks of 10 ms, the 14th and 15th field; the second, a name in parentheses, may hold spaces.
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => undefined)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ended = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
  return { wall, processor: fields && (Number(fields[11]) + Number(fields[12])) / 100 }
}

const BLOCKS = 6
const WIDTH = 256

interface Join {
  /** Seconds from where it listens. */
  readonly result: number
  readonly block: number
}

/** The first line of its trace that tells of that, as it appears. */
const traced = async (file: string, did: 'ended' | 'ran'): Promise<void> => {
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.includes(`"did":"${did}"`)) return
    await wait(20)
  }
}

const joins = async (): Promise<readonly Join[]> => {
  const file = join(folder, 'model.onnx')
  await writeFile(file, layeredModel(BLOCKS, WIDTH))
  const nodes: NodeProcess[] = []
  const device = (name: string, ...flags: readonly string[]): NodeProcess => {
    const one = startNode(name, ['--state', join(folder, name), ...flags])
    nodes.push(one)
    return one
  }
  try {
    const owner = device('owner', '--model', `${file}:m`, '--blocks', `m=${BLOCKS}`)
    const invite = String((await owner.event('listening'))['invite'])
    for (const name of ['second', 'third']) device(name, '--join', invite)
    await owner.status(({ devices, placement }) => devices.length === 3 && placement.ready)
    const all: Join[] = []
    for (let n = 0; n < JOINS; n++) {
      await wait(CALM * 1000)
      const trace = join(folder, `trace${n}`)
      const source = ['--source', 'cam=synthetic:5000,model=m,arrivals=every:20ms', '--trace', trace]
      const comer = device(`comer${n}`, '--join', invite, ...source, '--sink', join(folder, `results${n}`))
      await comer.event('listening')
      const began = performance.now()
      const since = (): number => (performance.now() - began) / 1000
      const [result, block] = await Promise.all([traced(trace, 'ended').then(since), traced(trace, 'ran').then(since)])
      all.push({ result, block })
      comer.child.kill('SIGTERM')
      await comer.ended
    }
    return all
  } finally {
    for (const { child } of nodes) child.kill('SIGKILL')
  }
}

const spread = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)} s in ${values.length}`

try {
  const all = []
  for (let n = 0; n < STARTS; n++) all.push(await start(n))
  const walls = all.map(({ wall }) => wall)
  const processor = all.flatMap(({ processor }) => processor ?? [])
  const used = processor.length === 0 ? '' : `; ${median(processor).toFixed(2)} s of processor`
  process.stdout.write(
    judge('until a device listens', `${median(walls).toFixed(2)} s, median (${spread(walls)})${used}`, median(walls), {
      atMost: 1.5
    })
  )
  const joined = await joins()
  for (const [what, of] of [
    ['from joining until the first result', (one: Join) => one.result],
    ['from joining until it has served a block', (one: Join) => one.block]
  ] as const) {
    const times = joined.map(of)
    process.stdout.write(
      judge(what, `${median(times).toFixed(2)} s, median (${spread(times)})`, median(times), { atMost: 3 })
    )
  }
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
