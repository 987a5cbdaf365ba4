import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { RPC } from '@libp2p/gossipsub/message'
import type { Stream } from '@libp2p/interface'
import { seconds } from '../../src/core/units.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { FrameSchema, TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import { readClusterKey } from '../../src/runtime/network/cluster-key.ts'
import { encodeControl } from '../../src/runtime/network/control-sender.ts'
import { STATE_TOPIC } from '../../src/runtime/network/gossip.ts'
import { decodeInvite } from '../../src/runtime/network/invite.ts'
import { CONTROL_PROTOCOL, TASK_PROTOCOL } from '../../src/runtime/network/peer-session.ts'
import { sendPieces } from '../../src/runtime/network/send-pieces.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { openStranger } from '../../src/testing/stranger.ts'
import { type Attack, again, type Stage } from './attack.ts'
import { thirdHost } from './third-host.ts'

// What goes past the protocol of devices: bytes of a member, and of who is none.

/** Of gossipsub. */
const GOSSIP_PROTOCOL = '/meshsub/1.1.0'

/** A member's stream to the device with the source, on which it sends what it likes. */
const asMember = async (stage: Stage, protocol: string) => {
  const { addresses } = decodeInvite(stage.cluster.invite)
  const key = await readClusterKey(join(stage.cluster.home, 'cam', 'cluster.key'))
  const stranger = await openStranger()
  const [host, port] = addresses[0]!.split(':')
  const connection = await stranger.dial(`/ip4/${host}/tcp/${port}`)
  await stranger.admit(connection, key)
  stage.signal.addEventListener('abort', () => void stranger[Symbol.asyncDispose]())
  return { connection, open: () => connection.newStream([protocol]) }
}

const piece = (message: Uint8Array, times: number): Uint8Array =>
  new Uint8Array(Buffer.concat(Array<Uint8Array>(times).fill(message)))

/** As fast as it is read; whatever else this process does has its turn. @throws NetworkError when the stream ends first */
const sendAll = async (stream: Stream, bytes: Uint8Array): Promise<void> => {
  await sendPieces(stream, [bytes], bytes.byteLength)
  await systemClock.sleep(seconds(0))
}

/** @param message again and again, as fast as they are read */
const flood = (
  name: string,
  what: string,
  unit: string,
  protocol: string,
  message: () => Uint8Array,
  isQuick = false
): Attack => ({
  ...{ name, what, unit, once: 'work stops while they are read', isQuick },
  play: async stage => {
    const { open } = await asMember(stage, protocol)
    const stream = await open()
    const pieces = piece(message(), 500)
    while (!stage.signal.aborted && stream.status === 'open') {
      stage.count(500)
      await sendAll(stream, pieces)
    }
  }
})

const smallTask = (): Uint8Array => {
  const task = create(TaskSchema, { source: 'x@y', model: 'none', home: 'nobody', datum: 1n })
  const header = toBinary(FrameSchema, create(FrameSchema, { id: 1n, body: { case: 'task', value: task } }))
  const prefix = Buffer.alloc(8)
  prefix.writeUInt32BE(header.length)
  return new Uint8Array(Buffer.concat([prefix, header]))
}

const custody = (): Uint8Array => {
  const about = { source: 'cam@cam', datum: 1n, attempt: 1, done: 1, token: new Uint8Array(16) }
  return encodeControl(0n, { case: 'notice', value: notice('custody', about) })
}

const garbage: Attack = {
  name: 'garbage on every stream',
  what: 'a member opens streams and sends random bytes, headers of 4 GiB, and half frames',
  once: 'held',
  unit: 'streams',
  isQuick: true,
  play: async stage => {
    const { connection } = await asMember(stage, TASK_PROTOCOL)
    const protocols = [TASK_PROTOCOL, CONTROL_PROTOCOL, '/tributary/blob/1']
    let times = 0
    await again(stage.signal, 0.02, async () => {
      const stream = await connection.newStream([protocols[times++ % 3]!])
      stage.count()
      const bytes = Buffer.alloc(64, times % 5 === 0 ? 255 : 0)
      for (let i = 0; i < 64 && times % 5 > 1; i++) bytes[i] = Math.floor(Math.random() * 256)
      stream.send(new Uint8Array(bytes))
      await Promise.race([stream.close().catch(() => {}), systemClock.sleep(seconds(0.05))])
    })
  }
}

/** In the way of protobuf: seven bits a byte, the least first. */
const lengthFirst = (bytes: Uint8Array): Uint8Array => {
  const prefix: number[] = []
  let length = bytes.byteLength
  for (; length > 127; length = Math.floor(length / 128)) prefix.push((length % 128) + 128)
  return new Uint8Array(Buffer.concat([Uint8Array.from([...prefix, length]), bytes]))
}

/** Under the protocol of states: what nobody signed, of other topics, and lists of messages that there are not. */
const gossip: Attack = {
  name: 'gossip that is none',
  what: 'a member sends messages of other topics, states that nobody signed, and lists of messages that there are not',
  once: '',
  unit: 'messages',
  isQuick: true,
  play: async stage => {
    const { open } = await asMember(stage, GOSSIP_PROTOCOL)
    const stream = await open()
    const data = randomBytes(300_000)
    const message = (topic: string): RPC.Message => ({
      ...{ from: randomBytes(38), seqno: randomBytes(8), topic, data },
      ...{ signature: randomBytes(64), key: randomBytes(36) }
    })
    const ids = (): Uint8Array[] => Array.from({ length: 5000 }, () => randomBytes(20))
    const control = () => ({
      ...{ ihave: [{ topicID: STATE_TOPIC, messageIDs: ids() }], iwant: [{ messageIDs: ids() }] },
      ...{ graft: [{ topicID: 'other' }], prune: [], idontwant: [{ messageIDs: ids() }] }
    })
    while (!stage.signal.aborted && stream.status === 'open') {
      const bytes = RPC.encode({
        subscriptions: [{ subscribe: true, topic: randomBytes(50).toString('hex') }],
        messages: [message(STATE_TOPIC), message('other')],
        control: control()
      })
      stage.count(2)
      await sendAll(stream, lengthFirst(bytes))
    }
  }
}

/** Each device may try so often at one host in the time of an attack: a burst, and more by time. */
const MOST_ATTEMPTS = 4 * 64

const acquaintances = (): Attack => {
  let accepted = (): number => 0
  return {
    name: 'acquaintances on a third host',
    what: 'a member tells of thousands of devices that are on a host which is none of the cluster',
    once: '512 chosen addresses are dialled by each; work stops for 15 s',
    unit: 'devices told of',
    isQuick: true,
    play: async stage => {
      const host = await thirdHost(stage.signal)
      accepted = host.accepted
      const { open } = await asMember(stage, CONTROL_PROTOCOL)
      const stream = await open()
      await again(stage.signal, 0.2, () => {
        const devices = Array.from({ length: 256 }, () => ({
          $typeName: 'tributary.v1.Acquaintance' as const,
          device: `12D3KooW${Math.random().toString(36).slice(2).padEnd(20, 'x')}`,
          addresses: Array.from({ length: 8 }, (_, k) => `/ip4/127.0.0.1/tcp/${host.port}/x${k}`).map(
            () => `/ip4/127.0.0.1/tcp/${host.port}`
          )
        }))
        const value = { $typeName: 'tributary.v1.Acquaintances' as const, devices }
        if (stream.status === 'open') stream.send(encodeControl(0n, { case: 'acquaintances', value }))
        stage.count(256)
      })
    },
    fault: stage => {
      stage.note(`the third host had ${accepted()} connections`)
      return accepted() > MOST_ATTEMPTS ? `a third host had ${accepted()} connections` : undefined
    }
  }
}

/** Of one client, that waits for nothing. */
const openSocket = (host: string, port: number, signal: AbortSignal): Socket => {
  const socket = connect({ host, port })
  socket.on('error', () => {})
  signal.addEventListener('abort', () => socket.destroy())
  return socket
}

/** An honest device may take so long to come in beside them, in seconds; this machine may be busy. */
const LATEST_JOIN = 30

const slowSockets: Attack = {
  name: 'slow sockets of an outsider',
  what: 'an outsider keeps 40 sockets open at each of which it sends a byte a second, while an honest device joins',
  once: 'it is kept out for more than 40 s',
  unit: 'sockets',
  play: async stage => {
    const { addresses } = decodeInvite(stage.cluster.invite)
    const [host = '', port] = addresses[0]!.split(':')
    const sockets: Socket[] = []
    const joined = systemClock.now()
    let isIn = false
    void stage
      .process('late', ['--join', stage.cluster.invite, '--memory', '0'])
      .status(({ devices }) => devices.length >= 5)
      .then(() => {
        isIn = true
        stage.note(`an honest device was in after ${(systemClock.now() - joined).toFixed(1)} s`)
      })
      .catch(() => {})
    await again(stage.signal, 1, () => {
      for (let i = 0; i < 40; i++) {
        if (sockets[i] === undefined || sockets[i]!.destroyed) {
          sockets[i] = openSocket(host, Number(port), stage.signal)
          stage.count()
        }
        sockets[i]!.write(new Uint8Array([22]))
      }
      if (!isIn && systemClock.now() - joined > LATEST_JOIN) throw new Error(`nobody came in within ${LATEST_JOIN} s`)
    })
  }
}

export const rawAttacks = (): readonly Attack[] => [
  flood('small notices', 'a member sends notices as fast as they are read', 'notices', CONTROL_PROTOCOL, custody, true),
  flood(
    'small tasks',
    'a member sends tasks that are refused as fast as they are read',
    'tasks',
    TASK_PROTOCOL,
    smallTask
  ),
  garbage,
  gossip,
  acquaintances(),
  slowSockets
]
