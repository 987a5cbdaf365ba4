import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type NodeProcess, startNode } from '../src/testing/node-process.ts'
import { judge } from './judge.ts'
import { layeredModel } from './layered-model.ts'
import { median } from './median.ts'
import { processorTime } from './peers/processor-time.ts'

// Clusters of real devices on loopback, with a small model whose blocks are placed: what each writes while nothing is computed, as Linux
// accounts it (encrypted, with pings, gossip's copies, and some bytes from thread to thread); how long until all know of one that has come,
// and miss one that stands still. `npm run bench -- processes [sizes]`; thirty need 3 GB.

const SIZES = process.argv.slice(2).flatMap(word => (/^\d+$/.test(word) ? [Number(word)] : []))
const BLOCKS = 4
const WIDTH = 64
/** Seconds until a cluster in which nothing happens knows that. */
const CALM = 12
/** Seconds that are counted. */
const SPAN = 20
/** The longest that a device which stands still is believed to be there, in seconds. */
const MOST_SILENCE = 4

interface Counts {
  /** Bytes. */
  readonly written: number
  readonly writes: number
  /** Seconds. */
  readonly processor: number
}

const countsOf = async (pid: number): Promise<Counts> => {
  const io = await readFile(`/proc/${pid}/io`, 'utf8')
  const of = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1])
  return { written: of('wchar'), writes: of('syscw'), processor: processorTime([pid]) }
}

const residentOf = async (pid: number): Promise<number> =>
  1024 * Number(/^Rss:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])

/** Of each device, a second. */
const ratesOf = async (devices: readonly NodeProcess[]): Promise<readonly Counts[]> => {
  const read = (): Promise<Counts[]> => Promise.all(devices.map(({ child }) => countsOf(child.pid!)))
  const [before, began] = [await read(), performance.now()]
  await wait(SPAN * 1000)
  const [after, seconds] = [await read(), (performance.now() - began) / 1000]
  const rate = (what: keyof Counts, n: number): number => (after[n]![what] - before[n]![what]) / seconds
  return devices.map((_, n) => ({
    written: rate('written', n),
    writes: rate('writes', n),
    processor: rate('processor', n)
  }))
}

/** Seconds until each of them has said so of that device. */
const untilAllSay = async (devices: readonly NodeProcess[], event: string, name: string): Promise<number> => {
  const began = performance.now()
  await Promise.all(devices.map(device => device.event(event, name)))
  return (performance.now() - began) / 1000
}

const started = async (folder: string, name: string, flags: readonly string[]): Promise<NodeProcess> => {
  const device = startNode(name, ['--state', join(folder, name), ...flags])
  await device.event('listening')
  return device
}

const together = async (folder: string, size: number): Promise<NodeProcess[]> => {
  const file = join(folder, 'model.onnx')
  await writeFile(file, layeredModel(BLOCKS, WIDTH))
  const first = await started(folder, 'device0', ['--model', `${file}:m`, '--blocks', `m=${BLOCKS}`])
  const devices = [first]
  const invite = String((await first.event('listening'))['invite'])
  for (let n = 1; n < size; n++) devices.push(await started(folder, `device${n}`, ['--join', invite]))
  for (const { name } of devices)
    await untilAllSay(
      devices.filter(other => other.name !== name),
      'deviceJoined',
      name
    )
  return devices
}

const measure = async (size: number): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-processes-'))
  const devices: NodeProcess[] = []
  try {
    devices.push(...(await together(folder, size)))
    const invite = String((await devices[0]!.event('listening'))['invite'])
    await wait(CALM * 1000)
    const rates = await ratesOf(devices)
    const of = (what: keyof Counts): number => median(rates.map(counts => counts[what]))
    const resident = median(await Promise.all(devices.map(({ child }) => residentOf(child.pid!))))
    const comer = await started(folder, 'comer', ['--join', invite])
    const joined = await untilAllSay(devices, 'deviceJoined', 'comer')
    const all = [...devices]
    devices.push(comer)
    await wait(CALM * 1000)
    comer.child.kill('SIGSTOP')
    const lost = await untilAllSay(all, 'deviceLeft', 'comer')
    const kilobytes = (of('written') / 1000).toFixed(1)
    process.stdout.write(
      `${size} devices at rest, each a second: ${kilobytes} KB in ${of('writes').toFixed(0)} writes, ${(100 * of('processor')).toFixed(1)} % of a core; ${(resident / 1e6).toFixed(0)} MB resident\n`
    )
    process.stdout.write(`${size} devices: one more is known to all ${joined.toFixed(2)} s after it listens\n`)
    process.stdout.write(
      judge(`${size} devices: one that stands still is missed by all after`, `${lost.toFixed(2)} s`, lost, {
        atMost: MOST_SILENCE
      })
    )
  } finally {
    for (const { child } of devices) child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

for (const size of SIZES.length > 0 ? SIZES : [5, 10, 20, 30]) await measure(size)
