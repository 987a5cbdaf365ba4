import { createHash } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { afterEach, describe, expect, test } from 'vitest'
import { blockHash, deviceId } from '../core/ids.ts'
import { createRng } from '../core/rng.ts'
import type { Tensor } from '../core/tensor.ts'
import { bytes, bytesPerSecond, milliseconds } from '../core/units.ts'
import { EmulatedNetwork } from '../emulation/emulated-network.ts'
import { linksLike } from '../emulation/pacer.ts'
import {
  DeviceStateSchema,
  NoticeSchema,
  PolicyReportSchema,
  ReplySchema,
  RequestSchema,
  TaskSchema
} from '../runtime/generated/tributary/v1/wire_pb.ts'
import type { BlockStore } from '../runtime/ports/block-store.ts'
import {
  type ArrivedTask,
  type Network,
  NetworkError,
  type NetworkHandlers,
  type PeerEvent
} from '../runtime/ports/network.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { networkGroup, openPair } from './open-networks.ts'
import { EventClock } from './simulated/event-clock.ts'
import { createMemoryBlockStore } from './simulated/memory-block-store.ts'
import { MemoryHub } from './simulated/memory-hub.ts'
import { MemoryNetwork } from './simulated/memory-network.ts'
import { ProcessClock } from './simulated/process-clock.ts'
import { runEvents } from './simulated/run-events.ts'

interface Side {
  readonly network: Network
  readonly blobs: BlockStore
  readonly events: readonly PeerEvent[]
}

interface Pair extends AsyncDisposable {
  /** Two devices that have admitted each other. */
  readonly sides: readonly [Side, Side]
}

type OpenPair = (onA: Partial<NetworkHandlers>, onB: Partial<NetworkHandlers>) => Promise<Pair>

const overLibp2p: OpenPair = async (onA, onB) => {
  const group = networkGroup()
  const sides = await openPair(group, onA, onB)
  return { sides, [Symbol.asyncDispose]: () => group[Symbol.asyncDispose]() }
}

/** With links that take their time, as an emulated device sees them. */
const emulated: OpenPair = async (onA, onB) => {
  const group = networkGroup()
  const shaped = () => ({ shaper: linksLike(systemClock, { rate: bytesPerSecond(2e7), latency: milliseconds(1) }) })
  const decorated = (side: Side): Side => ({ ...side, network: new EmulatedNetwork(side.network, () => true) })
  const [a, b] = await openPair(group, onA, onB, shaped(), shaped())
  return { sides: [decorated(a), decorated(b)], [Symbol.asyncDispose]: () => group[Symbol.asyncDispose]() }
}

const inMemory: OpenPair = async (onA, onB) => {
  const clock = new EventClock()
  const shape = () => ({ latency: milliseconds(1), rate: bytesPerSecond(1e6) })
  const hub = new MemoryHub({ clock, rng: createRng('contract'), shape })
  const endEvents = runEvents(clock)
  const open = async (name: string, life: bigint, handlers: Partial<NetworkHandlers>): Promise<Side> => {
    const blobs = createMemoryBlockStore()
    const events: PeerEvent[] = []
    const process = new ProcessClock(clock)
    const network = new MemoryNetwork({ hub, self: deviceId(name), life, process, blobs, failed: () => {} })
    await network.start({
      onTask: () => ({ kind: 'accepted' }),
      onRequest: async () => create(ReplySchema),
      onNotice: () => {},
      onState: () => {},
      ...handlers,
      onPeer: event => void events.push(event)
    })
    return { network, blobs, events }
  }
  const sides = [await open('a', 1n, onA), await open('b', 2n, onB)] as const
  await until(() => sides.every(({ events }) => events.some(({ kind }) => kind === 'joined')))
  return {
    sides,
    [Symbol.asyncDispose]: async () => {
      for (const { network } of sides) await network.stop()
      await endEvents()
    }
  }
}

/** In real time as in simulated time, which goes on by itself here. */
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise(resolve => setImmediate(resolve))
}

let pair: Pair | undefined
afterEach(async () => {
  await pair?.[Symbol.asyncDispose]()
  pair = undefined
})

const task = (datum: number) => create(TaskSchema, { source: 's@d', datum: BigInt(datum), model: 'm', home: 'h' })
const tensor = (...values: number[]): Tensor => ({
  name: 'x',
  type: 'uint8',
  dims: [values.length],
  data: new Uint8Array(values)
})
const notice = (datum: number) =>
  create(NoticeSchema, { body: { case: 'custody', value: { source: 's@d', datum: BigInt(datum) } } })

describe.each([
  ['libp2p', overLibp2p],
  ['an emulated device on libp2p', emulated],
  ['in memory', inMemory]
])('a network (%s)', (_, open) => {
  const two = async (onA: Partial<NetworkHandlers> = {}, onB: Partial<NetworkHandlers> = {}) => {
    pair = await open(onA, onB)
    return pair.sides
  }

  test('tells each device of the other, with the life of its process', async () => {
    const [a, b] = await two()
    const seen = ({ events }: Side) => events.map(event => ({ ...event }))
    expect(seen(a)).toEqual([{ kind: 'joined', peer: b.network.self, role: 'device', life: b.network.life }])
    expect(seen(b)).toEqual([{ kind: 'joined', peer: a.network.self, role: 'device', life: a.network.life }])
    expect([...a.network.peers()]).toEqual([[b.network.self, 'device']])
    expect(a.network.addresses().length).toBeGreaterThan(0)
    await until(() => b.network.acquaintances().has(a.network.self))
  })

  test('brings a task with its tensors and report, and its answer back', async () => {
    const arrived: ArrivedTask[] = []
    const onTask: NetworkHandlers['onTask'] = one => {
      arrived.push(one)
      return { kind: 'accepted' }
    }
    const [a, b] = await two({ onTask })
    const sent = tensor(1, 2, 3)
    const report = create(PolicyReportSchema, { backlog: 1.5 })
    const sending = b.network.sendTask(a.network.self, task(7), [sent], report)
    const { bytes: size, starts, departs } = await sending.written
    expect(size).toBeGreaterThan(3)
    expect(departs).toBeGreaterThanOrEqual(starts)
    expect(await sending.answered).toEqual({ kind: 'accepted' })
    expect(arrived[0]).toMatchObject({ from: b.network.self, task: { datum: 7n }, report: { backlog: 1.5 } })
    expect([...(arrived[0]!.tensors[0]!.data as Uint8Array)]).toEqual([1, 2, 3])
    expect(arrived[0]!.tensors[0]!.data.byteOffset).toBe(0)
    expect(arrived[0]!.tensors[0]!.data).not.toBe(sent.data)
  })

  test('brings tasks to one peer in order', async () => {
    const data: bigint[] = []
    const onTask: NetworkHandlers['onTask'] = one => {
      data.push(one.task.datum)
      return { kind: 'accepted' }
    }
    const [a, b] = await two({ onTask })
    const all = Array.from({ length: 20 }, (_, i) => b.network.sendTask(a.network.self, task(i), [tensor(i)]))
    await Promise.all(all.map(({ answered }) => answered))
    expect(data).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i)))
  })

  test('refuses in the words of whoever refuses, and what throws refuses too', async () => {
    const onTask: NetworkHandlers['onTask'] = ({ task: { datum } }) => {
      if (datum === 1n) throw new Error('it does not fit')
      return { kind: 'refused', because: 'it is full' }
    }
    const [a, b] = await two({ onTask })
    const answers = [0, 1].map(i => b.network.sendTask(a.network.self, task(i), []).answered)
    expect(await Promise.all(answers)).toEqual([
      { kind: 'refused', because: 'it is full' },
      { kind: 'refused', because: 'it does not fit' }
    ])
    expect(a.network.counters().refusedTasks).toBe(2)
  })

  test('rejects what is sent to, or asked of, somebody who is not there', async () => {
    const [a] = await two()
    const nobody = deviceId('12D3KooWNobody')
    const sending = a.network.sendTask(nobody, task(0), [])
    await expect(sending.written).rejects.toThrow(NetworkError)
    await expect(sending.answered).rejects.toThrow(NetworkError)
    await expect(a.network.request(nobody, create(RequestSchema))).rejects.toThrow(NetworkError)
    a.network.notify(nobody, notice(0))
    expect(a.network.link(nobody)).toBe(undefined)
  })

  test('brings notices in order, and replies to whoever asked', async () => {
    const heard: bigint[] = []
    const [a, b] = await two({
      onNotice: (_, { body }) => {
        if (body.case === 'custody') heard.push(body.value.datum)
      },
      onRequest: async (_, { body }) => {
        if (body.case === 'manifest') throw new Error('no such model')
        return create(ReplySchema, { body: { case: 'status', value: 'well' } })
      }
    })
    for (let i = 0; i < 50; i++) b.network.notify(a.network.self, notice(i))
    const status = create(RequestSchema, { body: { case: 'status', value: {} } })
    const manifest = create(RequestSchema, { body: { case: 'manifest', value: { model: 'm' } } })
    expect((await b.network.request(a.network.self, status)).body.value).toBe('well')
    expect((await b.network.request(a.network.self, manifest)).error).toBe('no such model')
    expect(heard).toEqual(Array.from({ length: 50 }, (_, i) => BigInt(i)))
  })

  test('a handler that fails is its own affair: what comes after is heard', async () => {
    let heard = 0
    const onNotice = (): void => {
      heard++
      throw new Error('a handler of the test that fails')
    }
    const [a, b] = await two({ onNotice })
    b.network.notify(a.network.self, notice(0))
    b.network.notify(a.network.self, notice(1))
    await until(() => heard === 2)
    expect([...a.network.peers().keys()]).toEqual([b.network.self])
  })

  test('spreads states, the newest last', async () => {
    const heard: bigint[] = []
    const [a, b] = await two({ onState: (_, { sequence }) => void heard.push(sequence) })
    const state = (sequence: bigint) => create(DeviceStateSchema, { device: b.network.self, incarnation: 1n, sequence })
    let sequence = 0n
    // Until gossip knows who listens, nobody does.
    while (heard.length < 3) {
      b.network.publishState(state(++sequence))
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(heard).toEqual([...heard].sort((x, y) => Number(x - y)))
    expect(a.network.peers().size).toBe(1)
  })

  test('fetches a block from whoever of its holders has it, and says where it is', async () => {
    const [a, b] = await two()
    const whole = new Uint8Array(5000).map((_, i) => i % 251)
    const hash = blockHash(createHash('sha256').update(whole).digest('hex'))
    const missing = blockHash('0'.repeat(64))
    await a.blobs.put(hash, [whole])
    const nobody = deviceId('12D3KooWNobody')
    const place = await b.network.fetchBlob(hash, bytes(5000), [nobody, a.network.self])
    expect(await b.blobs.find(hash)).toBe(place)
    await expect(b.network.fetchBlob(missing, bytes(10), [a.network.self])).rejects.toThrow(NetworkError)
    await expect(b.network.fetchBlob(missing, bytes(10), [])).rejects.toThrow(NetworkError)
  })

  test('measures its links without being asked', async () => {
    const [a, b] = await two()
    await until(() => a.network.link(b.network.self) !== undefined)
    const { rate, latency } = a.network.link(b.network.self)!
    expect(rate).toBeGreaterThan(0)
    expect(Number.isFinite(rate)).toBe(true)
    expect(latency).toBeGreaterThanOrEqual(0)
  })

  test('one that stops is gone for the other, and what was on its way to it is rejected', async () => {
    const [a, b] = await two()
    const sending = a.network.sendTask(b.network.self, task(0), [{ ...tensor(), data: new Uint8Array(100_000) }])
    const outcome = sending.answered.then(
      () => 'answered',
      error => (error instanceof NetworkError ? 'rejected' : error)
    )
    await b.network.stop()
    await b.network.stop()
    expect(['answered', 'rejected']).toContain(await outcome)
    await until(() => a.events.some(({ kind }) => kind === 'left'))
    expect(a.events.at(-1)).toMatchObject({ kind: 'left', peer: b.network.self, role: 'device' })
    expect(a.network.peers().size).toBe(0)
  })
})
