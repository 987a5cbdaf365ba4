import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { PeerBudgets } from '../src/cluster/peer-budgets.ts'
import { WindowStretch } from '../src/cluster/window-stretch.ts'
import { blockHash, type DeviceId, modelId } from '../src/core/ids.ts'
import type { ModelManifest } from '../src/core/manifest.ts'
import { bytes as asBytes, bytesPerSecond, seconds } from '../src/core/units.ts'
import { ClusterView } from '../src/runtime/cluster/cluster-view.ts'
import { DatumDoor } from '../src/runtime/device/datum-door.ts'
import { createHandlers } from '../src/runtime/device/handlers.ts'
import type { DatumTaker } from '../src/runtime/device/source-port.ts'
import { AttemptTokens } from '../src/runtime/dispatch/attempt-tokens.ts'
import { type DeviceTask, payloadBytes } from '../src/runtime/dispatch/device-task.ts'
import { reportToWire } from '../src/runtime/dispatch/report-codec.ts'
import { taskToWire } from '../src/runtime/dispatch/task-codec.ts'
import { ReplySchema } from '../src/runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../src/runtime/network/disk-blob-store.ts'
import { createIdentity } from '../src/runtime/network/identity.ts'
import { createLibp2pNetwork } from '../src/runtime/network/libp2p-network.ts'
import { tcpTransport } from '../src/runtime/network/tcp-transport.ts'
import { nodeHash } from '../src/runtime/node-hash.ts'
import { nodeRandom } from '../src/runtime/node-random.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { Dispatcher } from '../src/scheduler/dispatch/dispatcher.ts'
import { POLICIES } from '../src/scheduler/policies.ts'

/**
 * One end of a hop as Tributary makes it: frames, checks, policy and dispatcher of a device, without its engine. A task
 * that arrives is dispatched into the lane, where its block is done at once, and on the way home it is dropped.
 */
export interface HopEnd {
  readonly address: string
  /** Join the other end. @returns sends one activation; resolves when it is answered */
  join(address: string): Promise<() => Promise<void>>
  stop(): Promise<void>
}

const BLOCKS = 4
const DONE = 2

/** The source of what is sent: it hears who has a datum now, as that of a device. */
const CAMERA: DatumTaker = { delivered: () => {}, custody: () => {}, lost: () => {}, failed: () => {} }

/** Both ends know the same model: four blocks, one tensor at each cut. */
const modelOf = (bytes: number): ModelManifest => {
  const tensor = { name: 'x', type: 'float32' as const, shape: [bytes / 4] }
  return {
    id: modelId('a'.repeat(64)),
    name: 'hop',
    sha256: 'a'.repeat(64),
    blocks: Array.from({ length: BLOCKS }, (_, k) => ({
      sha256: blockHash(`${k}`.repeat(64)),
      bytes: asBytes(1),
      flops: 1,
      work: seconds(0.01)
    })),
    activations: Array.from({ length: BLOCKS + 1 }, () => ({ bytes: asBytes(bytes), tensors: [tensor] })),
    inputs: [tensor],
    outputs: ['x']
  }
}

export const openHopEnd = async (key: Uint8Array, bytes: number): Promise<HopEnd> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-hop-'))
  const joined = Promise.withResolvers<DeviceId>()
  const network = createLibp2pNetwork({
    privateKey: await createIdentity(),
    cluster: key,
    listen: ['127.0.0.1:0'],
    transports: [tcpTransport],
    mdns: false,
    clock: systemClock,
    blobStore: createBlobStore({ folder })
  })
  const manifest = modelOf(bytes)
  const view = new ClusterView(network.self, 1)
  view.addManifest(manifest)
  const { world } = view
  const dispatcher = new Dispatcher<DeviceTask>(POLICIES.confluence, {
    now: () => systemClock.now(),
    world,
    self: view.selfIndex,
    bytes: payloadBytes,
    run: (_, finished) => finished({ kind: 'done', took: seconds(0.01) }),
    send: (_task, _to, { written, accepted }) => {
      written()
      accepted()
    },
    deliver: () => {},
    failed: () => {},
    handedOver: () => {},
    ask: () => {},
    giveBack: () => {}
  })
  const tokens = new AttemptTokens(nodeRandom, nodeHash)
  const handlers = createHandlers({
    budgets: new PeerBudgets({ now: () => systemClock.now(), exceeded: () => {} }),
    clock: systemClock,
    network,
    view,
    dispatcher,
    stretch: new WindowStretch({ self: network.self, now: () => systemClock.now() }),
    source: () => CAMERA,
    farewells: { heard: () => {} },
    audits: { came: () => {}, shown: () => {}, show: () => create(ReplySchema) },
    door: new DatumDoor({ clock: systemClock, tokens, nameOf: String, say: () => {} }),
    draining: () => false,
    status: () => {
      throw new Error('nobody asks')
    },
    models: () => Promise.resolve(create(ReplySchema)),
    steps: () => Promise.resolve(create(ReplySchema)),
    drain: () => Promise.resolve(create(ReplySchema)),
    placement: () => undefined,
    inbox: { heard: () => {}, left: () => {} },
    refused: () => {},
    changed: () => {},
    arrives: () => {},
    peerLost: () => {},
    joined: () => {},
    restarted: () => {},
    blame: () => {},
    granted: () => {},
    say: () => {},
    event: () => {}
  })
  await network.start({
    ...handlers,
    onRequest: () => Promise.resolve(create(ReplySchema)),
    onPeer: event => {
      handlers.onPeer(event)
      if (event.kind !== 'joined') return
      // The link and the blocks of both are known, as in a running cluster.
      const peer = world.deviceIndex(event.peer)!
      for (const n of [view.selfIndex, peer]) for (let k = 0; k < BLOCKS; k++) world.setCarried(n, 0, k, true)
      for (const [from, to] of [
        [view.selfIndex, peer],
        [peer, view.selfIndex]
      ] as const)
        world.setLink(from, to, bytesPerSecond(1e8), seconds(0.0005))
      joined.resolve(event.peer)
    }
  })
  return {
    address: network.addresses()[0] ?? '',
    join: async address => {
      network.join(address)
      const peer = await joined.promise
      const to = world.deviceIndex(peer)!
      const data = new Uint8Array(bytes)
      let datum = 0
      return async () => {
        const now = systemClock.now()
        const attempt = { source: 'camera@porch', datum: datum++, attempt: 1 }
        const task: DeviceTask = {
          source: attempt.source,
          datum: attempt.datum,
          attempt: attempt.attempt,
          token: tokens.of(attempt),
          modelId: manifest.id,
          model: 0,
          home: view.selfIndex,
          homeId: network.self,
          weight: 1,
          isBacklogged: false,
          lag: seconds(0),
          served: seconds(0),
          availableAt: now,
          arrivedAt: now,
          turn: 0,
          done: DONE,
          route: [{ device: to, until: BLOCKS }],
          refusals: 0,
          tensors: [{ name: 'x', type: 'float32', dims: [bytes / 4], data }]
        }
        const remark = reportToWire(dispatcher.policy.remark(), world)
        const wire = taskToWire(task, world, systemClock.now())
        const answer = await network.sendTask(peer, wire, task.tensors, remark).answered
        if (answer.kind === 'refused') throw new Error(`the other end refused: ${answer.because}`)
      }
    },
    stop: async () => {
      await network.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
