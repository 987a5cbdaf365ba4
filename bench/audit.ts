import { create, toBinary } from '@bufbuild/protobuf'
import { createRng } from '../src/core/rng.ts'
import { bytesPerSecond, seconds } from '../src/core/units.ts'
import { AttemptTokens } from '../src/runtime/dispatch/attempt-tokens.ts'
import { TaskSchema } from '../src/runtime/generated/tributary/v1/wire_pb.ts'
import { portableHash } from '../src/runtime/hash/portable-hash.ts'
import { nodeHash } from '../src/runtime/node-hash.ts'
import { nodeRandom } from '../src/runtime/node-random.ts'
import type { Hash } from '../src/runtime/ports/hash.ts'
import { EventClock } from '../src/testing/simulated/event-clock.ts'
import { MemoryDevice } from '../src/testing/simulated/memory-device.ts'
import { MemoryHub } from '../src/testing/simulated/memory-hub.ts'
import { toyInput, toyModel, valuesOf } from '../src/testing/simulated/toy-model.ts'
import { judge } from './judge.ts'
import { median } from './median.ts'

// What looking at results costs, and what the tokens of attempts do. Production devices on a network and an engine in memory: a home
// without blocks, and four devices that have all of them. The rate is in simulated time, in which blocks take 10 ms
// each: it is exact. The processor's time is that of five devices in one process, their engines without.

const DATA = 600
const ROUNDS = 5
const SHARES = [0, 0.1, 1]
const TOKENS = 20_000

const net = toyModel({
  ...{ name: 'net', salt: 1, work: [1e-2, 1e-2, 1e-2], weights: [1e6, 1e6, 1e6], length: 8, skips: false }
})
const item = { type: 'int32', dims: [1, 8], data: [...valuesOf(toyInput(net, 0, 0))] } as const
const items = Array.from({ length: DATA }, () => item)

interface Cost {
  /** Results in a simulated second. */
  readonly rate: number
  /** Microseconds of the processor for each datum. */
  readonly processor: number
  readonly audited: number
}

const run = async (audit: number): Promise<Cost> => {
  const clock = new EventClock()
  const shape = () => ({ latency: seconds(0.001), rate: bytesPerSecond(1e8) })
  const hub = new MemoryHub({ clock, rng: createRng('audit'), shape })
  const home = new MemoryDevice({ hub, name: 'home', memory: 0, models: [net], parts: { audit } })
  const devices = [home, ...['a', 'b', 'c', 'd'].map(name => new MemoryDevice({ hub, name }))]
  for (const device of devices) void device.start()
  const isThere = (): boolean => home.device.status().placement.ready && home.device.status().devices.length === 5
  await clock.run(() => isThere() && clock.now() > 3)
  const [before, begun] = [process.cpuUsage(), clock.now()]
  const source = home.addSource({ name: 'cam', items, window: 16 })
  await clock.run(() => source.isDone || clock.now() > 1000)
  const { user, system } = process.cpuUsage(before)
  const { audits } = home.device.status()
  return { rate: DATA / (clock.now() - begun), processor: (user + system) / DATA, audited: audits.done / DATA }
}

const costs = new Map<number, Cost[]>(SHARES.map(share => [share, []]))
for (let round = -1; round < ROUNDS; round++)
  for (const [share, list] of costs) {
    const cost = await run(share)
    if (round >= 0) list.push(cost)
  }
const of = (share: number, what: keyof Cost): number => median(costs.get(share)!.map(cost => cost[what]))
for (const share of SHARES) {
  const [rate, processor, audited] = [of(share, 'rate'), of(share, 'processor'), of(share, 'audited')]
  process.stdout.write(
    `--audit ${share}: ${rate.toFixed(0)} results a second, ${(rate / of(0, 'rate')).toFixed(2)} of those without; ${processor.toFixed(0)} us of the processor for a datum; ${(100 * audited).toFixed(0)} % audited\n`
  )
}

/** Microseconds. */
const timeOf = (hash: Hash): number => {
  const tokens = new AttemptTokens(nodeRandom, hash)
  const before = process.cpuUsage()
  for (let datum = 0; datum < TOKENS; datum++) tokens.of({ source: 'cam@12D3KooWhome', datum, attempt: 1 })
  const { user, system } = process.cpuUsage(before)
  return (user + system) / TOKENS
}
const about = { source: 'cam', datum: 1000n, attempt: 1, model: net.manifest.id, home: 'home', done: 1, weight: 1 }
const sizeOf = (token: Uint8Array): number => toBinary(TaskSchema, create(TaskSchema, { ...about, token })).length
const more = sizeOf(new Uint8Array(16).fill(1)) - sizeOf(new Uint8Array())
process.stdout.write(
  `a token: ${more} bytes of a task; made or checked in ${timeOf(portableHash).toFixed(1)} us in JavaScript\n`
)
const node = timeOf(nodeHash)
process.stdout.write(judge('a token, by OpenSSL', `${node.toFixed(1)} us`, node, { atMost: 20 }))
process.stdout.write(
  judge('rate with a tenth audited', of(0.1, 'rate').toFixed(0), of(0.1, 'rate') / of(0, 'rate'), { atLeast: 0.75 })
)
