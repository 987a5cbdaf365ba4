import crypto from 'node:crypto'
import { create, fromBinary } from '@bufbuild/protobuf'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { ELEMENT_TYPES, type ElementType, type Tensor } from '../../core/tensor.ts'
import { bytes, megabitsPerSecond, milliseconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { linksLike } from '../../emulation/pacer.ts'
import { joined, type NetworkGroup, networkGroup, openPair } from '../../testing/open-networks.ts'
import { openStranger } from '../../testing/stranger.ts'
import { watchProcessors } from '../../testing/watch-processors.ts'
import {
  DeviceStateSchema,
  NoticeSchema,
  PackedStateSchema,
  PolicyReportSchema,
  ReplySchema,
  RequestSchema,
  StepSchema,
  TaskSchema
} from '../generated/tributary/v1/wire_pb.ts'
import { type ArrivedTask, NetworkError } from '../ports/network.ts'
import { systemClock } from '../system-clock.ts'
import { STATE_TOPIC } from './gossip.ts'

let group: NetworkGroup
beforeEach(() => {
  group = networkGroup()
})
afterEach(() => group[Symbol.asyncDispose]())

const task = (datum: number) => create(TaskSchema, { source: 's@d', datum: BigInt(datum), model: 'm', home: 'h' })
const zeros = (size: number): Tensor => ({ name: 'x', type: 'uint8', dims: [size], data: new Uint8Array(size) })
const notice = (datum: number) =>
  create(NoticeSchema, { body: { case: 'custody', value: { source: 's@d', datum: BigInt(datum) } } })
const state = (device: string, sequence: number) =>
  create(DeviceStateSchema, { device, name: 'shed', incarnation: 1n, sequence: BigInt(sequence) })

/** Collects what a handler is given, and tells when there is enough. */
const collect = <T>() => {
  const items: T[] = []
  const waiting: { readonly count: number; readonly tell: () => void }[] = []
  return {
    items,
    add: (item: T): void => {
      items.push(item)
      for (const { count, tell } of waiting) if (items.length >= count) tell()
    },
    until: (count: number): Promise<void> =>
      new Promise(tell => {
        if (items.length >= count) tell()
        else waiting.push({ count, tell })
      })
  }
}

describe('tasks', () => {
  it('arrive with every element type as they were sent, scalars, strings and nothing at all included', async () => {
    const arrived = collect<ArrivedTask>()
    const onTask = (t: ArrivedTask) => {
      arrived.add(t)
      return { kind: 'accepted' } as const
    }
    const [a, b] = await openPair(group, { onTask })
    const numeric = (Object.keys(ELEMENT_TYPES) as ElementType[]).filter(type => type !== 'string')
    const tensors: Tensor[] = numeric.map((type, i) => {
      const data = Uint8Array.from({ length: 6 * ELEMENT_TYPES[type] }, (_, at) => (at * 7 + i) % 256)
      return { name: `t/${type}`, type, dims: [2, 3], data }
    })
    tensors.push({ name: 'scalar', type: 'float32', dims: [], data: new Uint8Array([0, 0, 128, 63]) })
    tensors.push({ name: 'none', type: 'float32', dims: [4, 0], data: new Uint8Array() })
    tensors.push({ name: 'text', type: 'string', dims: [2], data: new Uint8Array([2, 0, 0, 0, 195, 188, 0, 0, 0, 0]) })
    const sent = create(TaskSchema, {
      source: 's@d',
      datum: 5n,
      route: [create(StepSchema, { device: 'shed', until: 3 })],
      age: 0.25,
      attempt: 2
    })
    const report = create(PolicyReportSchema, { backlog: 1.5 })
    const sending = b.network.sendTask(a.self, sent, tensors, report)
    await sending.written
    expect(await sending.answered).toEqual({ kind: 'accepted' })
    expect(arrived.items).toEqual([{ from: b.self, task: sent, tensors, report }])
    for (const { data } of arrived.items[0]!.tensors) {
      expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, data.byteLength])
    }
  })

  it('arrive in the order of sending, large or small, and are answered', async () => {
    const arrived = collect<bigint>()
    const [a, b] = await openPair(group, {
      onTask: ({ task }) => {
        arrived.add(task.datum)
        return { kind: 'accepted' }
      }
    })
    const sizes = [2_000_000, 10, 0, 300_000, 1, 900_000, 5]
    const answers = sizes.map((size, i) => b.network.sendTask(a.self, task(i), [zeros(size)]).answered)
    await Promise.all(answers)
    expect(arrived.items).toEqual(sizes.map((_, i) => BigInt(i)))
  })

  it('that are longer than the window of their stream arrive as they were, from both sides at once, between small ones', async () => {
    const [sizes, SEED] = [[9_000_001, 3, 70_000, 5_000_000, 1], 7]
    const numbered = (size: number, i: number): Tensor => {
      const data = Uint8Array.from({ length: size }, (_, at) => (at * SEED + (at >> 8) + i) & 0xff)
      return { name: 'x', type: 'uint8', dims: [size], data }
    }
    const wrong: string[] = []
    const onTask = ({ task: { datum }, tensors: [tensor] }: ArrivedTask) => {
      const i = Number(datum)
      if (Buffer.compare(tensor!.data, numbered(sizes[i]!, i).data) !== 0) wrong.push(`datum ${i}`)
      return { kind: 'accepted' } as const
    }
    const [a, b] = await openPair(group, { onTask }, { onTask })
    const send = (from: typeof a, to: typeof a) =>
      sizes.map((size, i) => from.network.sendTask(to.self, task(i), [numbered(size, i)]).answered)
    await Promise.all([...send(a, b), ...send(b, a)])
    expect(wrong).toEqual([])
  })

  it('that the receiver refuses, or fails on, are answered with its reason', async () => {
    const [a, b] = await openPair(group, {
      onTask: ({ task }) => {
        if (task.datum === 1n) return { kind: 'refused', because: 'block 3 is not carried here' }
        throw new Error('no room')
      }
    })
    expect(await b.network.sendTask(a.self, task(1), []).answered).toEqual({
      kind: 'refused',
      because: 'block 3 is not carried here'
    })
    expect(await b.network.sendTask(a.self, task(2), []).answered).toEqual({ kind: 'refused', because: 'no room' })
    expect(a.network.counters().refusedTasks).toBe(2)
  })

  it('of 800 KB pass at more than 10 MB/s on loopback, and the link is measured', async context => {
    const [a, b] = await openPair(group)
    const rounds = 30
    const processors = watchProcessors()
    for (let i = 0; i < rounds; i++) {
      const { answered, written } = b.network.sendTask(a.self, task(i), [zeros(800_000)])
      await Promise.all([answered, written]) // an answer may come before the sender knows that all has left
    }
    const rate = (rounds * 800_000) / processors.stop()
    const link = b.network.link(a.self)
    expect(link).toMatchObject({ shaped: false })
    expect(link!.bytesSent).toBeGreaterThan(rounds * 800_000)
    processors.inTime(context, () => {
      expect(rate).toBeGreaterThan(10_000)
      expect(link!.rate).toBeGreaterThan(5e6)
      expect(link!.latency).toBeLessThan(0.1)
    })
  })

  it('to nobody, or over the limit, are rejected; the next one passes', async () => {
    const [a, b] = await openPair(group, {}, {}, {}, { limits: { payload: bytes(1000) } })
    const { written, answered } = b.network.sendTask(deviceId('nobody'), task(1), [])
    await expect(written).rejects.toThrow(NetworkError)
    await expect(answered).rejects.toThrow(NetworkError)
    await expect(b.network.sendTask(a.self, task(1), [zeros(1001)]).answered).rejects.toThrow(/limit of 1000 B/)
    expect(await b.network.sendTask(a.self, task(1), [zeros(1000)]).answered).toEqual({ kind: 'accepted' })
  })

  it('larger than the receiver takes cost the sender its stream and the reason, not the connection', async () => {
    const [a, b] = await openPair(group, {}, {}, { limits: { payload: bytes(200_000) } })
    await expect(b.network.sendTask(a.self, task(1), [zeros(200_001)]).answered).rejects.toThrow(
      /a payload of 200001 B, the limit is 200000 B/
    )
    expect(await b.network.sendTask(a.self, task(2), [zeros(1000)]).answered).toEqual({ kind: 'accepted' })
    expect(a.network.counters().oversizedFrames).toBe(1)
  })
})

describe('control', () => {
  it('answers requests, also many at once, and passes on what went wrong', async () => {
    const [a, b] = await openPair(group, {
      onRequest: async (from, { body }) => {
        if (body.case !== 'manifest') throw new Error('draining is not possible now')
        return create(ReplySchema, { body: { case: 'status', value: `${body.value.model} for ${from}` } })
      }
    })
    const ask = (model: string) =>
      b.network.request(a.self, create(RequestSchema, { body: { case: 'manifest', value: { model } } }))
    const replies = await Promise.all(['m1', 'm2', 'm3'].map(ask))
    expect(replies.map(({ body }) => body.value)).toEqual(['m1', 'm2', 'm3'].map(m => `${m} for ${b.self}`))
    const drain = create(RequestSchema, { body: { case: 'drain', value: {} } })
    expect((await b.network.request(a.self, drain)).error).toBe('draining is not possible now')
  })

  it('gives a request up after its timeout, and when the peer is unknown', async () => {
    const [a, b] = await openPair(group, { onRequest: () => new Promise(() => {}) })
    const request = create(RequestSchema, { body: { case: 'status', value: {} } })
    await expect(b.network.request(a.self, request, { timeout: seconds(0.05) })).rejects.toThrow(/within 0.05 s/)
    await expect(b.network.request(deviceId('nobody'), request)).rejects.toThrow(NetworkError)
  })

  it('brings notices in order, and survives a handler that throws', async () => {
    const arrived = collect<bigint>()
    const [a, b] = await openPair(group, {
      onNotice: (_, { body }) => {
        if (body.case === 'custody') arrived.add(body.value.datum)
        throw new Error('a mistake of the handler')
      }
    })
    for (let i = 0; i < 100; i++) b.network.notify(a.self, notice(i))
    await arrived.until(100)
    expect(arrived.items).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)))
    b.network.notify(deviceId('nobody'), notice(1))
  })

  it('is not behind tensors: a notice overtakes a large task', async () => {
    const order = collect<string>()
    const [a, b] = await openPair(group, {
      onTask: () => {
        order.add('task')
        return { kind: 'accepted' }
      },
      onNotice: () => order.add('notice')
    })
    const sending = b.network.sendTask(a.self, task(1), [zeros(60_000_000)])
    b.network.notify(a.self, notice(1))
    await sending.answered
    await order.until(2)
    expect(order.items).toEqual(['notice', 'task'])
  })
})

describe('a shaped link', () => {
  const wifi = { rate: megabitsPerSecond(20), latency: milliseconds(3) }

  it('takes its time for tensors, measures as what it stands for, and says so', async () => {
    const [a, b] = await openPair(
      group,
      {},
      {},
      { shaper: linksLike(systemClock, wifi) },
      { shaper: linksLike(systemClock, wifi) }
    )
    await b.network.sendTask(a.self, task(0), [zeros(1000)]).answered // after the probes
    const begin = performance.now()
    const sending = b.network.sendTask(a.self, task(1), [zeros(600_000)])
    await sending.written
    const written = performance.now() - begin
    await sending.answered
    const answered = performance.now() - begin
    expect(written).toBeGreaterThan(239)
    expect(answered).toBeGreaterThan(245) // 240 ms, and 3 ms each way
    const link = b.network.link(a.self)!
    expect(link.shaped).toBe(true)
    expect(link.rate / 2.5e6).toBeCloseTo(1, 6) // however busy this machine is
    expect(link.latency).toBeGreaterThan(0.00245) // 3 ms; timers may end half of one early
  })

  it('lets notices pass its queue of tensors', async () => {
    const order = collect<string>()
    const onTask = () => {
      order.add('task')
      return { kind: 'accepted' } as const
    }
    const [a, b] = await openPair(
      group,
      { onTask, onNotice: () => order.add('notice') },
      {},
      {},
      { shaper: linksLike(systemClock, wifi) }
    )
    const sending = b.network.sendTask(a.self, task(1), [zeros(250_000)])
    b.network.notify(a.self, notice(1))
    await sending.answered
    expect(order.items).toEqual(['notice', 'task'])
  })
})

describe('discovery', () => {
  it('needs one address to reach everybody', async () => {
    const [a, b] = await openPair(group)
    const c = await group.open()
    c.network.join(b.address)
    await Promise.all([joined(c, a.self), joined(a, c.self), joined(c, b.self), joined(b, c.self)])
    expect(new Set(c.network.peers().keys())).toEqual(new Set([a.self, b.self]))
  })

  it('keeps dialling an address until somebody answers there', async () => {
    const early = await group.open()
    const [host, port] = [
      '127.0.0.1',
      new URL(`http://${early.address.split('/').slice(2, 5).join(':').replace('tcp:', '')}`).port
    ]
    await early.network.stop()
    const b = await group.open()
    b.network.join(`${host}:${port}`)
    const a = await group.open({}, { listen: [`${host}:${port}`] })
    await joined(b, a.self)
  })

  it('finds a device again that went away and came back with its identity', async () => {
    const [a, b] = await openPair(group)
    const { createIdentity } = await import('./identity.ts')
    const privateKey = await createIdentity()
    const first = await group.open({}, { privateKey })
    first.network.join(a.address)
    await Promise.all([joined(a, first.self), joined(b, first.self)])
    const listen = [first.address.replace(/\/p2p\/.*/, '')]
    await first.network.stop()
    const left = await a.event(e => e.kind === 'left' && e.peer === first.self)
    expect(left).toMatchObject({ because: 'its connection closed', role: 'device' })
    const again = await group.open({}, { privateKey, listen }) // joins nobody: it is found
    await Promise.all([joined(again, a.self), joined(again, b.self)])
  })

  it('ignores its own address, and one that is not one is refused at the door', async () => {
    const a = await group.open()
    a.network.join(a.address)
    expect(() => a.network.join('nowhere')).toThrow(UserError)
    await expect(group.open({}, { listen: ['nowhere'] })).rejects.toThrow(UserError)
  })

  it('says which port is in use', async () => {
    const a = await group.open()
    const port = a.address.split('/')[4]
    await expect(group.open({}, { listen: [`127.0.0.1:${port}`] })).rejects.toMatchObject({
      name: 'UserError',
      code: 'portInUse',
      message: `cannot listen on 127.0.0.1:${port}: the port is in use; choose another, or port 0 for any`
    })
  })

  it('tells an observer from a device', async () => {
    const a = await group.open()
    const observer = await group.open({}, { role: 'observer', listen: [] })
    observer.network.join(a.address)
    expect(await joined(a, observer.self)).toMatchObject({ role: 'observer' })
    expect(await joined(observer, a.self)).toMatchObject({ role: 'device' })
    expect([...a.network.peers()]).toEqual([[observer.self, 'observer']])
  })
})

describe('a guest', () => {
  it('meets all devices, and is neither introduced to others nor remembered', async () => {
    const [a, b] = await openPair(group)
    const guest = await group.open({}, { role: 'guest', listen: [] })
    guest.network.join(a.address)
    expect(await joined(a, guest.self)).toMatchObject({ role: 'guest' })
    expect(await joined(b, guest.self)).toMatchObject({ role: 'guest' }) // the guest was told of b, and dialled it
    expect(guest.network.addresses()).toEqual([])
    await guest.network.stop()
    expect([...a.network.acquaintances().keys()]).toEqual([b.self])
    expect([...b.network.acquaintances().keys()]).toEqual([a.self])
  })
})

describe('slow state', () => {
  it('reaches every device, signed by its author, the newest only', async () => {
    const heard = collect<string>()
    const onState = (from: string, { sequence }: { sequence: bigint }) => heard.add(`${from} ${sequence}`)
    const [a, b] = await openPair(group, { onState })
    let sequence = 0
    while (heard.items.length === 0) {
      b.network.publishState(state(b.self, ++sequence)) // until GossipSub knows who listens
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    const known = heard.items.length
    b.network.publishState(state(b.self, 1)) // old news
    b.network.publishState(state(a.self, 1000)) // somebody else's
    b.network.publishState(state(b.self, 2000))
    await heard.until(known + 1)
    expect(heard.items.at(-1)).toBe(`${b.self} 2000`)
    expect(heard.items.every(line => line.startsWith(b.self))).toBe(true)
  })
})

describe('slow state in a cluster of six', () => {
  it('is verified once by each that hears it, however many pass it on', async () => {
    const DEVICES = 6
    const heard = collect<string>()
    const all = await Promise.all(
      Array.from({ length: DEVICES }, () =>
        group.open({ onState: (from, { sequence }) => heard.add(`${from} ${sequence}`) })
      )
    )
    for (const { network } of all.slice(1)) network.join(all[0]!.address)
    await Promise.all(
      all.flatMap(one =>
        all.filter(other => other !== one).map(({ self }) => one.event(e => e.kind === 'joined' && e.peer === self))
      )
    )
    const [author] = all
    const times = (sequence: number) => heard.items.filter(line => line === `${author!.self} ${sequence}`).length
    const reaches = async (sequence: number) => {
      while (times(sequence) < DEVICES - 1) await heard.until(heard.items.length + 1)
    }
    let sequence = 0
    while (times(sequence) < DEVICES - 1) {
      author!.network.publishState(state(author!.self, ++sequence)) // until GossipSub knows who listens
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    const verified = vi.spyOn(crypto, 'verify')
    const STATES = 20
    for (let n = 1; n <= STATES; n++) {
      author!.network.publishState(state(author!.self, sequence + n))
      await reaches(sequence + n)
    }
    const { length } = verified.mock.calls
    verified.mockRestore()
    expect(length).toBeGreaterThanOrEqual(STATES * (DEVICES - 1))
    expect(length).toBeLessThanOrEqual(STATES * (DEVICES - 1) * 1.1) // some are a moment apart
  })
})

describe('a peer with two connections', () => {
  it('is one peer, and goes on when it loses the first of them', async () => {
    const a = await group.open()
    await using member = await openStranger()
    const heard = collect<bigint>()
    member.host.services.gossip.subscribe(STATE_TOPIC)
    member.host.services.gossip.addEventListener('message', ({ detail }) =>
      heard.add(fromBinary(PackedStateSchema, detail.data).sequence)
    )
    const first = await member.dial(a.address)
    await member.admit(first, group.key)
    const second = await member.host.dial(multiaddr(a.address), { force: true })
    await member.admit(second, group.key)
    await member.host.services.identify.identify(first)
    let sequence = 0
    const publishUntil = async (done: () => boolean) => {
      while (!done()) {
        a.network.publishState(state(a.self, ++sequence))
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    await publishUntil(() => heard.items.length > 0)
    await first.close()
    await member.gate.moveOver(second, new AbortController().signal)
    const last = BigInt(sequence)
    await publishUntil(() => heard.items.some(s => s > last))
    expect(a.events.map(({ kind }) => kind)).toEqual(['joined'])
    expect(a.network.peers().size).toBe(1)
  })

  it('may be dialled from both sides at once', async () => {
    const [a, b] = await Promise.all([group.open(), group.open()])
    a.network.join(b.address)
    b.network.join(a.address)
    await Promise.all([joined(a, b.self), joined(b, a.self)])
    const answers = [a.network.sendTask(b.self, task(1), []), b.network.sendTask(a.self, task(2), [])]
    await Promise.all(answers.map(({ answered }) => answered))
    expect([a.events.length, b.events.length]).toEqual([1, 1])
  })
})

describe('a network that stops', () => {
  it('rejects what waits, does so once, and within a second', async context => {
    const [a, b] = await openPair(group, { onRequest: () => new Promise(() => {}) })
    const request = b.network.request(a.self, create(RequestSchema, { body: { case: 'status', value: {} } }))
    const sending = b.network.sendTask(a.self, task(1), [zeros(50_000_000)])
    const outcome = Promise.allSettled([request, sending.written, sending.answered])
    const processors = watchProcessors()
    await Promise.all([b.network.stop(), b.network.stop()])
    const took = processors.stop()
    expect((await outcome).map(o => o.status === 'rejected' && o.reason instanceof NetworkError)).toEqual([
      true,
      true,
      true
    ])
    await a.event(e => e.kind === 'left' && e.peer === b.self)
    expect(b.events.filter(e => e.kind === 'left')).toEqual([])
    processors.inTime(context, () => expect(took).toBeLessThan(1000))
  })

  it('can stop before it started, and while it starts', async () => {
    const a = await group.open()
    await a.network.stop()
    await expect(a.network.start({} as never)).resolves.toBeUndefined()
    expect(a.network.addresses()).toEqual([])
  })
})

it('says its last words before it goes: they are heard, whether or not it has said anything before', async () => {
  const heard: string[] = []
  const a = await group.open({
    onNotice: (_, { body }) => heard.push(`${body.case}`),
    onPeer: ({ kind }) => heard.push(kind)
  })
  for (let i = 0; i < 5; i++) {
    const b = await group.open({}, { role: 'guest', listen: [] })
    b.network.join(a.address)
    await joined(b, a.self)
    b.network.notify(a.self, create(NoticeSchema, { body: { case: 'goodbye', value: {} } }))
    await b.network.stop()
    await vi.waitFor(() => expect(heard.at(-1)).toBe('left'), { timeout: 5000 })
  }
  expect(heard).toEqual(Array.from({ length: 5 }, () => ['joined', 'goodbye', 'left']).flat())
})
