import { connect, type Socket } from 'node:net'
import { create } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { joined, type NetworkGroup, networkGroup, openPair } from '../../testing/open-networks.ts'
import { drain, openStranger, type Stranger } from '../../testing/stranger.ts'
import { TaskSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ADMISSION_PROTOCOL } from './admission.ts'
import { BLOB_PROTOCOL } from './blob-protocol.ts'
import { createClusterKey } from './cluster-key.ts'
import { CONTROL_PROTOCOL, TASK_PROTOCOL } from './peer-session.ts'

let group: NetworkGroup
let stranger: Stranger
beforeEach(async () => {
  group = networkGroup()
  stranger = await openStranger()
})
afterEach(async () => {
  await stranger[Symbol.asyncDispose]()
  await group[Symbol.asyncDispose]()
})

const OTHERS = ['/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', '/meshsub/1.2.0', '/meshsub/1.1.0', '/floodsub/1.0.0']

describe('a peer with the key of another cluster', () => {
  it('is refused, is told why, and is not a peer', async () => {
    const a = await group.open()
    const b = await group.open({}, { cluster: createClusterKey() })
    b.network.join(a.address)
    expect(await a.event(e => e.kind === 'refused')).toMatchObject({
      peer: b.self,
      because: 'it came with the key of another cluster'
    })
    expect(await b.event(e => e.kind === 'refused')).toMatchObject({
      peer: a.self,
      because: expect.stringMatching(/^it belongs to another cluster.*use its invite/)
    })
    expect([a.network.peers().size, b.network.peers().size]).toEqual([0, 0])
    expect([a.network.counters().refusedPeers, b.network.counters().refusedPeers]).toEqual([1, 1])
    await expect(b.network.sendTask(a.self, create(TaskSchema), []).answered).rejects.toThrow(/not connected/)
  })

  it('that lies about having accepted our proof is refused by us', async () => {
    const a = await group.open()
    const connection = await stranger.dial(a.address)
    await expect(stranger.admit(connection, createClusterKey())).rejects.toThrow()
    expect(await a.event(e => e.kind === 'refused')).toMatchObject({ peer: stranger.host.peerId.toString() })
  })

  it('does not disturb those who have the right one', async () => {
    const [a, b] = await openPair(group)
    const wrong = await group.open({}, { cluster: createClusterKey() })
    wrong.network.join(a.address)
    await a.event(e => e.kind === 'refused')
    expect(await b.network.sendTask(a.self, create(TaskSchema), []).answered).toEqual({ kind: 'accepted' })
  })
})

describe('a peer that proves nothing', () => {
  it('gets no byte on any protocol, and is refused when its time is over', async () => {
    let called = 0
    const count = () => {
      called++
      throw new Error('no handler may run')
    }
    const a = await group.open({ onTask: count, onRequest: count, onNotice: count, onState: count })
    const connection = await stranger.dial(a.address)
    const outcomes = [TASK_PROTOCOL, CONTROL_PROTOCOL, BLOB_PROTOCOL, ...OTHERS].map(async protocol => {
      const stream = await connection.newStream([protocol])
      stream.send(new Uint8Array(64))
      return drain(stream)
    })
    expect((await Promise.all(outcomes)).map(({ bytes }) => bytes)).toEqual(outcomes.map(() => 0))
    expect(await a.event(e => e.kind === 'refused')).toEqual({
      kind: 'refused',
      peer: deviceId(stranger.host.peerId.toString()),
      because: 'it did not prove the key of this cluster within 5 s'
    })
    expect([called, a.network.peers().size, a.network.counters().refusedPeers]).toEqual([0, 0, 1])
  })

  it('cannot make us hold what it sends', async () => {
    const a = await group.open()
    const connection = await stranger.dial(a.address)
    const closed = new Promise(resolve => connection.addEventListener('close', resolve))
    const stream = await connection.newStream([TASK_PROTOCOL])
    stream.addEventListener('close', () => {})
    stream.send(new Uint8Array(1 << 20))
    await closed
    expect(a.network.peers().size).toBe(0)
  })

  it('cannot keep more than some connections waiting', async () => {
    const a = await group.open()
    const connections = await Promise.allSettled(
      Array.from({ length: 40 }, async () => {
        const other = await openStranger()
        return { other, connection: await other.dial(a.address) }
      })
    )
    const open = connections.flatMap(c => (c.status === 'fulfilled' ? [c.value] : []))
    const b = await group.open()
    await Promise.all(open.map(({ other }) => other[Symbol.asyncDispose]()))
    b.network.join(a.address) // as soon as there is room
    await joined(a, b.self)
  })

  it('with forty sockets and a byte a second keeps nobody out, and disturbs nobody who is in', async () => {
    const [a, c] = await openPair(group)
    const port = Number(a.address.split('/')[4])
    const sockets = new Set<Socket>()
    const knock = (): void => {
      const socket = connect(port, '127.0.0.1')
      sockets.add(socket)
      socket.on('error', () => {})
      // Gone, it comes again at once.
      socket.on('close', () => sockets.delete(socket) && !isOver && setImmediate(knock))
    }
    let isOver = false
    for (let n = 0; n < 40; n++) knock()
    // How a TLS record begins, byte by byte.
    const slowly = setInterval(() => {
      for (const socket of sockets) socket.write(Uint8Array.of(22))
    }, 1000)
    try {
      await expect.poll(() => sockets.size).toBe(40)
      const began = performance.now()
      const b = await group.open()
      b.network.join(a.address)
      await joined(a, b.self)
      expect(performance.now() - began).toBeLessThan(8000)
      expect(a.events.filter(e => e.kind === 'left')).toEqual([])
      expect([...a.network.peers().keys()].toSorted()).toEqual([b.self, c.self].toSorted())
    } finally {
      isOver = true
      clearInterval(slowly)
      for (const socket of sockets) socket.destroy()
    }
  })

  it.each([
    ['garbage', new Uint8Array([0, 0, 0, 3, 255, 255, 255])],
    ['a message of 4 GiB', new Uint8Array([255, 255, 255, 255, 1])],
    ['an empty message', new Uint8Array([0, 0, 0, 0])]
  ])('and says %s to the question for the key is not admitted', async (_, bytes) => {
    const a = await group.open()
    const connection = await stranger.dial(a.address)
    const closed = new Promise(resolve => connection.addEventListener('close', resolve))
    const stream = await connection.newStream([ADMISSION_PROTOCOL])
    stream.addEventListener('message', () => {})
    stream.send(bytes)
    await closed
    expect(a.network.peers().size).toBe(0)
    expect(a.events.filter(e => e.kind === 'joined')).toEqual([])
  })
})

describe('a peer that has the key', () => {
  it('may open what it opened too early, once it is admitted', async () => {
    const a = await group.open()
    const connection = await stranger.dial(a.address)
    const ping = await connection.newStream(['/ipfs/ping/1.0.0'])
    const echoed = new Promise<number>(resolve => {
      ping.addEventListener('message', ({ data }) => resolve(data.byteLength))
    })
    ping.send(new Uint8Array(32))
    await stranger.admit(connection, group.key)
    expect(await echoed).toBe(32)
    expect([...a.network.peers().keys()]).toEqual([stranger.host.peerId.toString()])
  })
})
