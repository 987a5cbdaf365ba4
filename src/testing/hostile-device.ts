import { create } from '@bufbuild/protobuf'
import type { DeviceId } from '../core/ids.ts'
import { bytes } from '../core/units.ts'
import { createDevice, type Device } from '../runtime/device/device.ts'
import type { DeviceParts } from '../runtime/device/device-parts.ts'
import { notice } from '../runtime/device/notice.ts'
import { createEngine } from '../runtime/engine/create-engine.ts'
import {
  type DeviceState,
  DeviceStateSchema,
  type Notice,
  PlacedDeviceSchema
} from '../runtime/generated/tributary/v1/wire_pb.ts'
import { identitySigner } from '../runtime/network/identity-signer.ts'
import { nodeHash } from '../runtime/node-hash.ts'
import { nodeRandom } from '../runtime/node-random.ts'
import { placeApart } from '../runtime/planning/place-apart.ts'
import type { BlockRun } from '../runtime/ports/engine.ts'
import type { ArrivedTask, Network, NetworkHandlers, TaskAnswer } from '../runtime/ports/network.ts'
import { systemClock } from '../runtime/system-clock.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { memberNetwork } from './member-network.ts'
import { spoiltEngine } from './spoilt-engine.ts'

export interface HostileDeviceOptions {
  /** What others call it. */
  readonly name: string
  /** Of a block that it has run: what it says came of it. @default what came of it */
  readonly spoil?: (run: BlockRun) => BlockRun
  /** Of a task that comes to it. @param honest what a device does with it @default that */
  readonly takes?: (arrived: ArrivedTask, honest: () => TaskAnswer, network: Network) => TaskAnswer
  /** It says that it is so many times as fast as it is, and so are its blocks. @default 1 */
  readonly boast?: number
  /** It carries all blocks of what is placed, wherever that is to be. @default false */
  readonly isGreedy?: boolean
  readonly parts?: Partial<DeviceParts>
}

export interface HostileDevice extends AsyncDisposable {
  readonly device: Device
  readonly network: Network
}

/**
 * A device of real sockets and ONNX Runtime in this process, that has the invite, loads its blocks as any other, and is broken or
 * hostile in what the options say.
 * @param folder for blocks that it is given
 */
export const openHostileDevice = async (
  invite: string,
  folder: string,
  { name, spoil, takes, boast = 1, isGreedy = false, parts }: HostileDeviceOptions
): Promise<HostileDevice> => {
  const { network, identity, blobs, join } = await memberNetwork(invite, folder)
  const [start, publish, notify] = [network.start, network.publishState, network.notify].map(one =>
    one.bind(network)
  ) as [Network['start'], Network['publishState'], Network['notify']]
  const tampered: Network = Object.assign(network, {
    publishState: (state: DeviceState) => publish(boasting(state, boast)),
    notify: (to: DeviceId, said: Notice) =>
      notify(to, said.body.case === 'state' ? notice('state', boasting(said.body.value, boast)) : said),
    start: (handlers: NetworkHandlers) =>
      start({
        ...handlers,
        onNotice: (from, said) => handlers.onNotice(from, isGreedy ? allPlacedOn(network.self, said) : said),
        onTask: arrived =>
          takes === undefined ? handlers.onTask(arrived) : takes(arrived, () => handlers.onTask(arrived), network)
      })
  })
  const device = createDevice({
    ...{ name, clock: systemClock, network: tampered, blobs, models: [], incarnation: 1 },
    ...{ engine: spoil === undefined ? createEngine() : spoiltEngine(createEngine(), spoil) },
    ...{ random: nodeRandom, hash: nodeHash, signer: identitySigner(identity), createPolicy: POLICIES.confluence },
    ...{ place: placeApart(() => {}), memory: bytes(Number.POSITIVE_INFINITY), emulated: false },
    ...{ say: () => {}, event: () => {}, ...parts }
  })
  await device.start()
  join()
  return { device, network, [Symbol.asyncDispose]: () => device[Symbol.asyncDispose]() }
}

const boasting = (state: DeviceState, times: number): DeviceState =>
  create(DeviceStateSchema, {
    ...state,
    speed: state.speed * times,
    models: state.models.map(model => ({
      ...model,
      blocks: model.blocks.map(block => ({ ...block, seconds: block.seconds / times })),
      times: model.times.map(time => time / times)
    }))
  })

const allPlacedOn = (self: DeviceId, said: Notice): Notice => {
  if (said.body.case !== 'placement') return said
  const { models, ...rest } = said.body.value
  const all = models.map(model => {
    const placed = [...model.devices.flatMap(({ blocks }) => blocks), ...model.unplaced.map(({ block }) => block)]
    const blocks = [...new Set(placed)].sort((a, b) => a - b)
    const own = create(PlacedDeviceSchema, { device: self, blocks })
    return { ...model, devices: [...model.devices.filter(({ device }) => device !== self), own] }
  })
  return notice('placement', { ...rest, models: all })
}
