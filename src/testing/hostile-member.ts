import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type DeviceId, deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import {
  type DeviceState,
  DeviceStateSchema,
  type Manifest,
  ManifestRequestSchema,
  type Notice,
  ReplySchema,
  RequestSchema
} from '../runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../runtime/network/disk-blob-store.ts'
import { createIdentity } from '../runtime/network/identity.ts'
import { decodeInvite } from '../runtime/network/invite.ts'
import { createLibp2pNetwork } from '../runtime/network/libp2p-network.ts'
import { tcpTransport } from '../runtime/network/tcp-transport.ts'
import type { ArrivedTask, Network, TaskAnswer } from '../runtime/ports/network.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { rollOf } from './roll-of.ts'

type Parts = MessageInitShape<typeof DeviceStateSchema>

/** A process that has the invite of a cluster, and does not do as devices do. */
export interface HostileMember extends AsyncDisposable {
  readonly network: Network
  /** Models that others speak of, by id. */
  readonly models: ReadonlySet<string>
  readonly notices: readonly Notice[]
  /** Answers to what others ask. */
  manifests: Map<string, Manifest>
  /** What it does with tasks. */
  takes: (arrived: ArrivedTask) => TaskAnswer
  /** What the owner of a model says of it. */
  manifestOf(owner: DeviceId, model: string): Promise<Manifest>
  /** A state of its own, newer than the one before. */
  state(parts: Parts): DeviceState
}

/** @param folder for blocks that it is given */
export const openHostileMember = async (invite: string, folder: string): Promise<HostileMember> => {
  const { addresses } = decodeInvite(invite)
  const privateKey = await createIdentity()
  const models = new Set<string>()
  const notices: Notice[] = []
  const network = createLibp2pNetwork({
    ...{ privateKey, cluster: rollOf(invite, privateKey), listen: ['127.0.0.1:0'], mdns: false, role: 'device' },
    ...{ clock: systemClock, blobStore: createBlobStore({ folder }), transports: [tcpTransport] }
  })
  let sequence = 0n
  const member: HostileMember = {
    ...{ network, models, notices, manifests: new Map(), takes: () => ({ kind: 'refused', because: 'no' }) },
    manifestOf: async (owner, model) => {
      const body = { case: 'manifest', value: create(ManifestRequestSchema, { model }) } as const
      const reply = await network.request(owner, create(RequestSchema, { body }))
      return reply.body.value as Manifest
    },
    state: parts => {
      const { self, life } = network
      const own = { device: self, name: 'mallory', incarnation: 1n, sequence: ++sequence, life, speed: 1, memory: 0n }
      return create(DeviceStateSchema, { ...own, ...parts } as Parts)
    },
    [Symbol.asyncDispose]: () => network.stop()
  }
  await network.start({
    onTask: arrived => member.takes(arrived),
    onRequest: async (_, { body }) => {
      const manifest = body.case === 'manifest' ? member.manifests.get(body.value.model) : undefined
      return create(ReplySchema, manifest === undefined ? {} : { body: { case: 'manifest', value: manifest } })
    },
    onNotice: (_, notice) => void notices.push(notice),
    onState: (_, state) => {
      for (const { model } of state.models) models.add(model)
    },
    onPeer: () => {}
  })
  network.join(...addresses)
  return member
}

/** Until it is connected to so many and has heard of a model. */
export const introduced = async ({ network, models }: HostileMember, devices: number): Promise<void> => {
  while (network.peers().size < devices || models.size === 0) await systemClock.sleep(seconds(0.05))
}

/** Of the device of that name. */
export const idAmong = (devices: readonly { readonly name: string; readonly id: string }[], name: string): DeviceId =>
  deviceId(devices.find(device => device.name === name)!.id)
