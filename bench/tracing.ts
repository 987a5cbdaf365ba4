import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRng } from '../src/core/rng.ts'
import { bytesPerSecond, seconds } from '../src/core/units.ts'
import type { DeviceParts } from '../src/runtime/device/device.ts'
import { wallTime } from '../src/runtime/system-clock.ts'
import { openTracing, type Tracing } from '../src/telemetry/open-tracing.ts'
import { EventClock } from '../src/testing/simulated/event-clock.ts'
import { MemoryDevice } from '../src/testing/simulated/memory-device.ts'
import { MemoryHub } from '../src/testing/simulated/memory-hub.ts'
import { toyInput, toyModel, valuesOf } from '../src/testing/simulated/toy-model.ts'
import { judge } from './judge.ts'
import { median } from './median.ts'

// What following data costs. Two production devices on a network and an engine in memory compute a model that takes no time:
// what is left is the devices' own work, so that the share here is more than a real device's, which computes and encrypts too.
// Processor time, runs with and without in turn; spans go to a receiver that is a process of its own.

const DATA = 1500
const ROUNDS = 7
const SHARES = [0, 0.01, 1]

const net = toyModel({
  ...{ name: 'net', salt: 1, work: [1e-3, 1e-3, 1e-3, 1e-3], weights: [1e6, 1e6, 1e6, 1e6], length: 8, skips: false }
})
const item = { type: 'int32', dims: [1, 8], data: [...valuesOf(toyInput(net, 0, 0))] } as const
const items = Array.from({ length: DATA }, () => item)

const RECEIVER = `const server = require('http').createServer((q, r) => q.resume().on('end', () => r.end('{}')))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
const receiver = spawn(process.execPath, ['-e', RECEIVER], { stdio: ['ignore', 'pipe', 'inherit'] })
const [port] = await once(receiver.stdout, 'data')
const endpoint = new URL(`http://127.0.0.1:${String(port).trim()}`)

type Traced = Pick<DeviceParts, 'observe' | 'tracer'>

/** @returns microseconds of the processor for each datum */
const run = async (parts: (name: string, clock: EventClock) => Promise<Tracing | undefined>): Promise<number> => {
  const clock = new EventClock()
  const shape = () => ({ latency: seconds(0.001), rate: bytesPerSecond(1e9) })
  const hub = new MemoryHub({ clock, rng: createRng('tracing'), shape })
  const tracings: Tracing[] = []
  const start = async (name: string, models: (typeof net)[]): Promise<MemoryDevice> => {
    const tracing = await parts(name, clock)
    if (tracing !== undefined) tracings.push(tracing)
    const traced: Traced = tracing === undefined ? {} : { observe: tracing.spans.observer, tracer: tracing.spans }
    const device = new MemoryDevice({ hub, name, memory: 2.1e6, models, parts: traced })
    void device.start()
    return device
  }
  const porch = await start('porch', [net])
  await start('shed', [])
  await clock.run(() => porch.device.status().placement.ready && clock.now() > 3)
  const before = process.cpuUsage()
  const source = porch.addSource({ name: 'cam', items, window: 8 })
  await clock.run(() => source.isDone || clock.now() > 1000)
  for (const tracing of tracings) await tracing[Symbol.asyncDispose]()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / DATA
}

const following = (share: number) => (device: string, clock: EventClock) =>
  openTracing({
    ...{ share, endpoint, device, version: '1', environment: {}, clock, wallTime, chance: Math.random },
    say: text => process.stderr.write(`${text}\n`)
  })

const costs = new Map<number | undefined, number[]>([undefined, ...SHARES].map(share => [share, []]))
for (let round = -1; round < ROUNDS; round++)
  for (const [share, list] of costs) {
    const cost = await run(share === undefined ? async () => undefined : following(share))
    if (round >= 0) list.push(cost)
  }
const base = costs.get(undefined)!
process.stdout.write(`${median(base).toFixed(1)} us of the processor for a datum that nothing follows\n`)
const added = (share: number): number => median(costs.get(share)!.map((cost, round) => cost - base[round]!))
for (const share of SHARES)
  process.stdout.write(`${100 * share} % followed: ${added(share).toFixed(1)} us more for each datum\n`)
// Of one datum in a hundred less is to be seen than runs differ by: it is a hundredth of what all of them take.
const part = added(1) / median(base)
process.stdout.write(judge('following one in a hundred', `${part.toFixed(2)} %`, part, { atMost: 1 }))
receiver.kill()
await once(receiver, 'close')
process.exit()
