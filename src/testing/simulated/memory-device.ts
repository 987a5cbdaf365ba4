import { z } from 'zod'
import { checkedOptions } from '../../core/checked-options.ts'
import { deviceId, type ModelId } from '../../core/ids.ts'
import { NAME_PATTERN, NAME_WORDS } from '../../core/name-pattern.ts'
import { bytes } from '../../core/units.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { createDevice, type Device, type DeviceParts } from '../../runtime/device/device.ts'
import { portableHash } from '../../runtime/hash/portable-hash.ts'
import type { PolicyName } from '../../scheduler/policies.ts'
import type { CreatePolicy } from '../../scheduler/policy.ts'
import { policyOf } from '../../scheduler/policy-of.ts'
import { createMemoryBlockStore, type MemoryBlockStore } from './memory-block-store.ts'
import { MemoryEngine } from './memory-engine.ts'
import { MemoryHub } from './memory-hub.ts'
import { MemoryNetwork } from './memory-network.ts'
import { memorySigner } from './memory-signer.ts'
import { MemorySource, type MemorySourceOptions } from './memory-source.ts'
import { ProcessClock } from './process-clock.ts'
import { seededRandom } from './seeded-random.ts'
import type { ToyModel } from './toy-model.ts'

/** What a device in memory is. Bytes; speeds are relative to 1. */
export interface MemoryDeviceOptions {
  /** The wires that it is on. */
  readonly hub: MemoryHub
  /** Its name, and its id; unique on its hub among those that run. */
  readonly name: string
  /** How many times as fast as a model's own times it computes. @default 1 */
  readonly speed?: number
  /** Bytes for blocks. @default not limited */
  readonly memory?: number
  /** That it owns: their blocks are on its disk. */
  readonly models?: readonly ToyModel[]
  /** By name, or your own. @default confluence */
  readonly policy?: PolicyName | CreatePolicy
  /** In place of what it would be made of: another engine, another store, observers. */
  readonly parts?: Partial<DeviceParts>
}

const count = z.number().min(0)
const schema = z.strictObject({
  hub: z.instanceof(MemoryHub, { error: 'must be a MemoryHub' }),
  name: z.string().regex(NAME_PATTERN, NAME_WORDS),
  speed: z.number().min(1e-6).max(1e6).default(1),
  memory: count.or(z.literal(Number.POSITIVE_INFINITY)).default(Number.POSITIVE_INFINITY),
  models: z
    .array(
      z.custom<ToyModel>(
        value => typeof value === 'object' && value !== null && 'manifest' in value,
        'must be a model of toyModel'
      )
    )
    .default([]),
  policy: z.unknown().default('confluence').transform(policyOf),
  parts: z
    .custom<Partial<DeviceParts>>(value => typeof value === 'object' && value !== null, 'must be an object')
    .default({})
})

/** The device that runs in production, on a network, an engine and a disk in memory, on the hub's clock. */
export class MemoryDevice {
  readonly device: Device
  readonly network: MemoryNetwork
  readonly blobs: MemoryBlockStore
  readonly clock: ProcessClock
  /** What it has had to say, a line each. */
  readonly said: string[] = []
  readonly #models = new Map<ModelId, ToyModel>()
  readonly #hub: MemoryHub

  /** It begins with `start`. @throws UserError `badOption`, `badPolicy` */
  constructor(options: MemoryDeviceOptions) {
    const { hub, name, speed, memory, models, policy, parts } = checkedOptions(schema, options, 'MemoryDevice')
    this.#hub = hub
    this.clock = new ProcessClock(hub.clock)
    this.blobs = createMemoryBlockStore(
      new Map(models.flatMap(({ manifest, files }) => manifest.blocks.map(({ sha256 }, k) => [sha256, files[k]!])))
    )
    this.network = new MemoryNetwork({
      ...{ hub, self: deviceId(name), life: new DataView(seededRandom(hub.rng).bytes(8).buffer).getBigUint64(0) },
      ...{ process: this.clock, blobs: this.blobs },
      failed: error => this.said.push(`a handler failed: ${error}`)
    })
    for (const model of models) this.#models.set(model.manifest.id, model)
    this.device = createDevice({
      ...{
        name,
        clock: this.clock,
        network: this.network,
        blobs: this.blobs,
        random: seededRandom(hub.rng.fork(`tokens of ${name}`)),
        hash: portableHash,
        signer: memorySigner(deviceId(name)),
        createPolicy: policy,
        memory: bytes(memory)
      },
      engine: new MemoryEngine({ clock: this.clock, speed, bytesAt: place => this.blobs.bytesAt(place) }),
      place: async problem => proportionalPlacement(problem),
      models: models.map(({ manifest }) => ({ name: manifest.name, file: manifest.id })),
      prepareModel: async ({ file }) => this.#models.get(file as ModelId)!.manifest,
      ...{ emulated: false, incarnation: 1, say: (text: string) => this.said.push(text), event: () => {} },
      ...parts
    })
  }

  /** Resolves when it listens; time has to pass for that, as for everything: run the hub's clock. */
  start(): Promise<void> {
    return this.device.start()
  }

  /** Data of a program for a model of the cluster. @throws UserError `badOption` */
  addSource(options: MemorySourceOptions): MemorySource {
    return new MemorySource(options, this)
  }

  /** Its process is gone, as by `kill -9`, and the others hear that its connections are closed. */
  kill(): void {
    const { self } = this.network
    this.clock.kill()
    this.network.die(true)
    this.#hub.processChanged(self)
  }
}
