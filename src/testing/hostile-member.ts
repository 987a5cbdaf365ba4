import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { DeviceId } from '../core/ids.ts'
import type { ModelManifest } from '../core/manifest.ts'
import { seconds } from '../core/units.ts'
import { toWire } from '../runtime/cluster/manifest-codec.ts'
import { sealManifest } from '../runtime/cluster/manifest-seal.ts'
import {
  type DeviceState,
  DeviceStateSchema,
  type Manifest,
  ManifestRequestSchema,
  type Reply,
  ReplySchema,
  RequestSchema
} from '../runtime/generated/tributary/v1/wire_pb.ts'
import { identitySigner } from '../runtime/network/identity-signer.ts'
import type { ArrivedTask, Network, TaskAnswer } from '../runtime/ports/network.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { type MemberOptions, memberNetwork } from './member-network.ts'

type Parts = MessageInitShape<typeof DeviceStateSchema>
/** What a member may ask another one. */
export type RequestBody = NonNullable<MessageInitShape<typeof RequestSchema>['body']>

/** A process that has the invite of a cluster, and does not do as devices do. */
export interface HostileMember extends AsyncDisposable {
  readonly network: Network
  /** What others say of themselves, the newest of each. */
  readonly states: ReadonlyMap<DeviceId, DeviceState>
  /** Models that others speak of, by id. */
  readonly models: ReadonlySet<string>
  /** What it does with tasks. */
  takes: (arrived: ArrivedTask) => TaskAnswer
  /** What the owner of a model says of it. */
  manifestOf(owner: DeviceId, model: string): Promise<Manifest>
  /** From now on it gives away the model as its own, signed as an owner signs. */
  owns(manifest: ModelManifest): Promise<void>
  ask(whom: DeviceId, body: RequestBody): Promise<Reply>
  /** A state of its own, newer than the one before. */
  state(parts: Parts): DeviceState
}

/** @param folder for blocks that it is given */
export const openHostileMember = async (
  invite: string,
  folder: string,
  options: MemberOptions = {}
): Promise<HostileMember> => {
  const { network, identity, join } = await memberNetwork(invite, folder, options)
  const states = new Map<DeviceId, DeviceState>()
  const models = new Set<string>()
  const manifests = new Map<string, Manifest>()
  let sequence = 0n
  const ask = (whom: DeviceId, body: RequestBody): Promise<Reply> =>
    network.request(whom, create(RequestSchema, { body }))
  const member: HostileMember = {
    ...{ network, states, models, ask, takes: () => ({ kind: 'refused', because: 'no' }) },
    manifestOf: async (owner, model) => {
      const reply = await ask(owner, { case: 'manifest', value: create(ManifestRequestSchema, { model }) })
      if (reply.body.case !== 'manifest') throw new Error(`no manifest of ${model}: ${reply.error}`)
      return reply.body.value
    },
    owns: async manifest => {
      manifests.set(manifest.id, toWire(await sealManifest(manifest, network.self, identitySigner(identity))))
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
      const manifest = body.case === 'manifest' ? manifests.get(body.value.model) : undefined
      return create(
        ReplySchema,
        manifest === undefined
          ? { error: 'not from a hostile member' }
          : { body: { case: 'manifest', value: manifest } }
      )
    },
    onNotice: () => {},
    onState: (from, state) => {
      states.set(from, state)
      for (const { model } of state.models) models.add(model)
    },
    onPeer: () => {}
  })
  join()
  return member
}

/** Until it is connected to so many and has heard of a model. */
export const introduced = async ({ network, models }: HostileMember, devices: number): Promise<void> => {
  while (network.peers().size < devices || models.size === 0) await systemClock.sleep(seconds(0.05))
}
