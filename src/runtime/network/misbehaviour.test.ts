import { create, toBinary } from '@bufbuild/protobuf'
import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BYTES_OF_WORD, PEER_BUDGETS, REFUSED_TASK } from '../../cluster/peer-budgets.ts'
import { bytes } from '../../core/units.ts'
import { type NetworkGroup, networkGroup, type OpenNetwork, openPair } from '../../testing/open-networks.ts'
import { drain, openStranger, type Stranger } from '../../testing/stranger.ts'
import { notice } from '../device/notice.ts'
import {
  type Control,
  DeviceStateSchema,
  FailureSchema,
  FrameSchema,
  PaceSchema,
  PackedStateSchema,
  PolicyReportSchema,
  ReplySchema,
  TaskSchema
} from '../generated/tributary/v1/wire_pb.ts'
import { nodeRandom } from '../node-random.ts'
import { encodeControl } from './control-sender.ts'
import { STATE_TOPIC } from './gossip.ts'
import { CONTROL_PROTOCOL, TASK_PROTOCOL } from './peer-session.ts'
import { StatePacker } from './state-packer.ts'

// A member of the cluster, key and all, that breaks every rule. It must cost it its stream, and us nothing.

const SOON = { timeout: 10_000 }

let group: NetworkGroup
let member: Stranger
let connection: Connection
let a: OpenNetwork
let b: OpenNetwork
let arrived: bigint[]
let heard: number
const REFUSED = 13

beforeEach(async () => {
  group = networkGroup()
  arrived = []
  heard = 0
  const onTask = ({ task }: { task: { datum: bigint } }) => {
    if (task.datum === BigInt(REFUSED)) return { kind: 'refused', because: 'it is 13' } as const
    arrived.push(task.datum)
    return { kind: 'accepted' } as const
  }
  const onNotice = (): void => void heard++
  const pair = await openPair(group, { onTask, onNotice }, {}, { limits: { payload: bytes(1_000_000) } })
  a = pair[0]
  b = pair[1]
  member = await openStranger()
  connection = await member.dial(a.address)
  await member.admit(connection, group.key)
})
afterEach(async () => {
  await member[Symbol.asyncDispose]()
  await group[Symbol.asyncDispose]()
})

const frame = (prefix: readonly [number, number], header: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(prefix[0])
  head.writeUInt32BE(prefix[1], 4)
  return new Uint8Array(Buffer.concat([head, header]))
}
const task = (datum: number) => {
  const body = { case: 'task', value: create(TaskSchema, { datum: BigInt(datum) }) } as const
  const header = toBinary(FrameSchema, create(FrameSchema, { id: 1n, body }))
  return frame([header.length, 0], header)
}
/** As one piece. */
const many = (message: Uint8Array, times: number): Uint8Array =>
  new Uint8Array(Buffer.concat(Array(times).fill(message)))
const control = (body: Control['body']): Uint8Array => encodeControl(1n, body)
const acknowledgement = control({
  case: 'acknowledgement',
  value: { $typeName: 'tributary.v1.Acknowledgement', of: 99n, refused: '' }
})

const longNotice = control({
  case: 'notice',
  value: notice('failure', create(FailureSchema, { because: 'x'.repeat(2 ** 20) }))
})

const breaches: [string, string, Uint8Array, 'malformedFrames' | 'oversizedFrames'][] = [
  ['a frame of no header', TASK_PROTOCOL, new Uint8Array(8), 'malformedFrames'],
  ['a header that is garbage', TASK_PROTOCOL, frame([4, 0], new Uint8Array(4).fill(255)), 'malformedFrames'],
  ['a header of 4 GiB', TASK_PROTOCOL, frame([0xffffffff, 0], new Uint8Array()), 'oversizedFrames'],
  ['a payload over the limit', TASK_PROTOCOL, frame([4, 1_000_001], new Uint8Array()), 'oversizedFrames'],
  ['a payload that no tensor takes', TASK_PROTOCOL, frame([4, 5], task(1).subarray(8, 12)), 'malformedFrames'],
  ['a control message of 4 GiB', CONTROL_PROTOCOL, new Uint8Array(4).fill(255), 'oversizedFrames'],
  ['a notice that is too long', CONTROL_PROTOCOL, longNotice, 'oversizedFrames'],
  ['a control message of garbage', CONTROL_PROTOCOL, new Uint8Array([0, 0, 0, 2, 255, 255]), 'malformedFrames'],
  ['a control message of no kind', CONTROL_PROTOCOL, new Uint8Array(4), 'malformedFrames'],
  ['an answer to nothing', CONTROL_PROTOCOL, acknowledgement, 'malformedFrames']
]

describe('a member that breaks the protocol', () => {
  it.each(breaches)(
    'with %s loses its stream, is counted, and can open another',
    async (_, protocol, sent, counter) => {
      const stream = await connection.newStream([protocol])
      const outcome = drain(stream)
      stream.send(sent)
      expect(await outcome).toMatchObject({ reset: true })
      expect(a.network.counters()[counter]).toBe(1)
      const again = await connection.newStream([TASK_PROTOCOL])
      again.send(task(7))
      // The node goes on with everybody else, and with the member itself.
      const answered = b.network.sendTask(a.self, create(TaskSchema, { datum: 8n }), []).answered
      expect(await answered).toEqual({ kind: 'accepted' })
      await expect.poll(() => arrived.toSorted()).toEqual([7n, 8n])
      expect(a.network.peers().size).toBe(2)
    }
  )

  it('with half a frame leaves nothing behind when it goes', async () => {
    const stream = await connection.newStream([TASK_PROTOCOL])
    stream.send(task(7).subarray(0, 10))
    await connection.close()
    await a.event(e => e.kind === 'left')
    expect(arrived).toEqual([])
  })

  it('cannot fill our memory with the frame of a muxer that never ends', async () => {
    const closed = new Promise(resolve => connection.addEventListener('close', resolve))
    const { muxer } = connection as unknown as { muxer: { send(data: Uint8Array): boolean } }
    const header = Buffer.alloc(12)
    header.writeUInt32BE(1, 4)
    header.writeUInt32BE(0x7fffffff, 8)
    muxer.send(new Uint8Array(header))
    const block = new Uint8Array(1 << 20)
    for (let i = 0; i < 10; i++) muxer.send(block)
    await closed
    const answered = b.network.sendTask(a.self, create(TaskSchema, { datum: 8n }), []).answered
    expect(await answered).toEqual({ kind: 'accepted' })
  })

  it('cannot stop our work with devices that it says there are', async () => {
    const { burst } = PEER_BUDGETS.addresses
    const stream = await connection.newStream([CONTROL_PROTOCOL])
    for (let message = 0; message < 30; message++) {
      const devices = Array.from({ length: 256 }, (_, n) => ({
        $typeName: 'tributary.v1.Acquaintance' as const,
        device: `12D3KooW${message}x${n}`,
        addresses: Array.from({ length: 64 }, (_, k) => `/ip4/127.0.${message}.${n}/tcp/${1 + k}`)
      }))
      stream.send(control({ case: 'acquaintances', value: { $typeName: 'tributary.v1.Acquaintances', devices } }))
    }
    await expect.poll(() => a.said.filter(text => text.includes(`more than ${burst} addresses`)), SOON).toHaveLength(1)
    // Without a budget nothing is answered for more than ten seconds.
    const began = performance.now()
    const answered = b.network.sendTask(a.self, create(TaskSchema, { datum: 8n }), []).answered
    expect(await answered).toEqual({ kind: 'accepted' })
    expect(performance.now() - began).toBeLessThan(2000)
    expect(a.said.filter(text => text.includes('12D3KooW')).length).toBeLessThan(2 * PEER_BUDGETS.lines.burst)
  })

  it('that says more than it may is read more slowly: others are answered at once, nothing is lost, and it is named', async () => {
    const { burst, perSecond } = PEER_BUDGETS.words
    const beyond = 3 * perSecond
    const stream = await connection.newStream([CONTROL_PROTOCOL])
    const words = many(control({ case: 'notice', value: notice('goodbye', {}) }), 4000)
    const began = performance.now()
    for (let i = 0; i < burst + beyond; i += 4000) if (!stream.send(words)) await stream.onDrain()
    expect(heard).toBeLessThan(burst + beyond)
    const answered = b.network.sendTask(a.self, create(TaskSchema, { datum: 8n }), []).answered
    expect(await answered).toEqual({ kind: 'accepted' })
    await expect.poll(() => heard, { timeout: 30_000 }).toBe(burst + beyond)
    expect(a.network.budgets?.()?.beyond()[0]).toMatchObject({ peer: member.host.peerId.toString(), kind: 'words' })
    expect(performance.now() - began).toBeGreaterThan(2000)
  }, 60_000)

  it('that says little in many bytes pays for the bytes: its reports are read more slowly, whatever is in them', async () => {
    const stream = await connection.newStream([CONTROL_PROTOCOL])
    const paces = Array.from({ length: 400_000 }, () => create(PaceSchema))
    const report = control({ case: 'notice', value: notice('report', create(PolicyReportSchema, { paces })) })
    const most = Math.ceil((PEER_BUDGETS.words.burst * BYTES_OF_WORD) / report.length)
    const began = performance.now()
    const refusals = (): number => a.network.budgets?.()?.refusals().get('words') ?? 0
    const all = most + 20
    for (let i = 0; i < all; i++) if (!stream.send(report)) await stream.onDrain()
    // What it may say grows while it speaks: on a machine that is slow enough all of it may be heard.
    await expect.poll(() => refusals() > 0 || heard >= all, { timeout: 50_000 }).toBe(true)
    const grown = ((performance.now() - began) / 1000) * PEER_BUDGETS.words.perSecond * BYTES_OF_WORD
    expect(heard).toBeLessThan(most + grown / report.length + 10)
  }, 60_000)

  it('gives no answers to what nobody asked, of whatever size', async () => {
    const stream = await connection.newStream([CONTROL_PROTOCOL])
    const status = 'x'.repeat(15 * 2 ** 20)
    const value = create(ReplySchema, { body: { case: 'status', value: status } })
    for (let i = 0; i < 4; i++) if (!stream.send(control({ case: 'reply', value }))) await stream.onDrain()
    await expect.poll(() => a.network.budgets?.()?.refusals().get('words') ?? 0, SOON).toBeGreaterThan(0)
    expect(a.network.counters().malformedFrames).toBe(0)
  }, 60_000)

  it('that sends tasks which are refused, again and again, is read more slowly', async () => {
    const { burst } = PEER_BUDGETS.words
    const stream = await connection.newStream([TASK_PROTOCOL])
    const refused = many(task(REFUSED), 1000)
    for (let i = 0; i < burst / REFUSED_TASK + 4000; i += 1000) if (!stream.send(refused)) await stream.onDrain()
    await expect.poll(() => a.network.budgets?.()?.refusals().get('words') ?? 0, SOON).toBeGreaterThan(0)
    const answered = b.network.sendTask(a.self, create(TaskSchema, { datum: 8n }), []).answered
    expect(await answered).toEqual({ kind: 'accepted' })
  }, 60_000)

  it('whose states are more than it may is passed on to nobody with the rest, and costs no memory', async () => {
    const listener = await openStranger()
    try {
      await listener.admit(await listener.dial(a.address), group.key)
      let passedOn = 0
      listener.host.services.gossip.addEventListener('message', () => passedOn++)
      const { gossip } = member.host.services
      for (const { host } of [listener, member]) host.services.gossip.subscribe(STATE_TOPIC)
      const device = member.host.peerId.toString()
      let sequence = 0n
      // Each is news: one that is not is heard by nobody.
      const stateOf = (status: string) =>
        toBinary(
          PackedStateSchema,
          new StatePacker().pack(create(DeviceStateSchema, { device, status, sequence: ++sequence }))
        )
      const hasPassed = async (): Promise<number> => {
        await gossip.publish(STATE_TOPIC, stateOf(''))
        return passedOn
      }
      await expect.poll(hasPassed, SOON).toBeGreaterThan(0)
      passedOn = 0
      const status = Buffer.from(nodeRandom.bytes(375_000)).toString('base64')
      const within = Math.floor(PEER_BUDGETS.stateBytes.burst / status.length)
      for (let i = 0; i < 4 * within; i++) await gossip.publish(STATE_TOPIC, stateOf(status))
      await expect.poll(() => a.network.budgets?.()?.refusals().get('stateBytes') ?? 0, SOON).toBeGreaterThan(within)
      await expect.poll(() => passedOn, SOON).toBeGreaterThan(0)
      // Some more come with time.
      expect(passedOn).toBeLessThan(2 * within)
    } finally {
      await listener[Symbol.asyncDispose]()
    }
  }, 60_000)
})
