import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { create } from '@bufbuild/protobuf'
import { ReplySchema, TaskSchema } from '../src/runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../src/runtime/network/disk-blob-store.ts'
import { createIdentity } from '../src/runtime/network/identity.ts'
import { createLibp2pNetwork } from '../src/runtime/network/libp2p-network.ts'
import type { Network, PeerEvent } from '../src/runtime/network/network.ts'
import { systemClock } from '../src/runtime/system-clock.ts'

// What a hop costs beside the link itself: encode, send on loopback, decode, dispatch, and the answer back, for one
// activation between two processes. Beside it the same bytes over plain TCP, without encryption, frames or names.

const PAYLOAD = 800_000
const ROUNDS = 600
const WARM_UP = 200
const BUDGET_MS = 3

interface Opening {
  readonly network: string
  readonly plain: number
}

const openNetwork = async (key: Uint8Array, folder: string, onPeer: (event: PeerEvent) => void): Promise<Network> => {
  const network = createLibp2pNetwork({
    privateKey: await createIdentity(),
    clusterKey: key,
    listen: ['127.0.0.1:0'],
    mdns: false,
    clock: systemClock,
    blobStore: createBlobStore({ folder })
  })
  await network.start({
    onTask: () => ({ kind: 'accepted' }),
    onRequest: () => Promise.resolve(create(ReplySchema)),
    onNotice: () => {},
    onState: () => {},
    onPeer
  })
  return network
}

/** Answers every PAYLOAD bytes with one. */
const onPlainConnection = (socket: Socket): void => {
  let received = 0
  socket.setNoDelay(true)
  socket.on('data', piece => {
    received += piece.byteLength
    if (received < PAYLOAD) return
    received -= PAYLOAD
    socket.write('!')
  })
}

const receive = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-hop-'))
  const network = await openNetwork(Buffer.from(process.argv[3] ?? '', 'hex'), folder, () => {})
  const plain = createServer(onPlainConnection).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  process.once('disconnect', async () => {
    await rm(folder, { recursive: true, force: true })
    process.exit()
  })
  const { port } = plain.address() as { port: number }
  process.send?.({ network: network.addresses()[0] ?? '', plain: port } satisfies Opening)
}

const plainHop = async (port: number): Promise<() => Promise<void>> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const data = new Uint8Array(PAYLOAD)
  return async () => {
    socket.write(data)
    await once(socket, 'data')
  }
}

const networkHop = async (
  network: Network,
  address: string,
  joined: Promise<PeerEvent>
): Promise<() => Promise<void>> => {
  network.join(address)
  const { peer } = await joined
  const task = create(TaskSchema, { source: 'camera@porch', datum: 1n, model: 'a'.repeat(64), home: peer, done: 3 })
  const data = new Uint8Array(PAYLOAD)
  return async () => {
    await network.sendTask(peer, task, [{ name: 'x', type: 'float32', dims: [PAYLOAD / 4], data }]).answered
  }
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? 0

const send = async (): Promise<void> => {
  const key = Buffer.alloc(32, 7)
  const receiver = fork(fileURLToPath(import.meta.url), ['receive', key.toString('hex')])
  const [opening] = (await once(receiver, 'message')) as [Opening]
  const folder = await mkdtemp(join(tmpdir(), 'tributary-hop-'))
  let tell: (event: PeerEvent) => void = () => {}
  const joined = new Promise<PeerEvent>(resolve => {
    tell = resolve
  })
  const network = await openNetwork(key, folder, tell)
  const hops = {
    'plain TCP': await plainHop(opening.plain),
    'tributary hop': await networkHop(network, opening.network, joined)
  }
  const times = new Map(Object.keys(hops).map(name => [name, [] as number[]]))
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [name, hop] of Object.entries(hops)) {
      const start = performance.now()
      await hop()
      if (round >= 0) times.get(name)?.push(performance.now() - start)
    }
  }
  console.log(`one hop of ${PAYLOAD / 1000} KB between two processes, answered; ${ROUNDS} rounds, interleaved; ms`)
  const rows = [...times].map(([name, samples]) => {
    samples.sort((a, b) => a - b)
    const at = (q: number): number => Number(quantile(samples, q).toFixed(2))
    return { name, median: at(0.5), p10: at(0.1), p90: at(0.9), budget: name === 'tributary hop' ? BUDGET_MS : '' }
  })
  console.table(rows)
  await network.stop()
  await rm(folder, { recursive: true, force: true })
  receiver.disconnect()
  process.exit()
}

await (process.argv[2] === 'receive' ? receive() : send())
