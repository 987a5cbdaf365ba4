import type { NumberedPlacement } from '../cluster/numbered-placement.ts'
import { Rollout, type RolloutBlock, type RolloutPorts, type RolloutStep } from '../cluster/rollout.ts'
import { type DeviceId, type ModelId, modelId } from '../core/ids.ts'
import { memoryOfLane } from '../core/memory-of-lane.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { isPlaced } from '../planner/is-placed.ts'
import type { BlockHolders, BlockOfModel } from './block-holders.ts'
import type { ReplacementInput, SimulationInput } from './simulation-input.ts'

export interface SimulatedKeeperParts extends Pick<RolloutPorts<RolloutBlock>, 'now' | 'others'> {
  readonly n: number
  readonly id: (device: number) => DeviceId
  readonly input: SimulationInput
  readonly replacement: ReplacementInput
  readonly world: World
  readonly holders: BlockHolders
  /** Of a device: what it gives is broken off when it ends. Undefined while it is gone or about to go. */
  readonly lifeOf: (device: number) => number | undefined
  /** Unless the process of this device has ended by then. */
  readonly schedule: (delay: Seconds, action: () => void) => void
  readonly inUse: (model: number, block: number) => boolean
  readonly changed: () => void
  readonly fetched: (size: Bytes) => void
}

type OwnBlock = RolloutBlock & { readonly of: BlockOfModel }

/**
 * The blocks of one simulated process, brought to what is placed by the rule of running devices. Simpler than there: loading takes
 * no time, and fetching does not slow activations down.
 */
export class SimulatedKeeper {
  readonly #parts: SimulatedKeeperParts
  readonly #rollout: Rollout<OwnBlock>
  readonly #blocks: readonly OwnBlock[]
  readonly #held = new Set<OwnBlock>()
  /** One at a time; another object for each. */
  #fetch: { readonly block: OwnBlock } | undefined

  constructor(parts: SimulatedKeeperParts) {
    this.#parts = parts
    const { input, replacement } = parts
    this.#blocks = input.models.flatMap(({ name, work }, m) =>
      [...work.keys()].map(block => ({
        ...{ model: modelId(name), name, block, of: { model: m, block } },
        digest: `${m} ${block}`,
        bytes: replacement.weights[m]![block]!
      }))
    )
    this.#rollout = this.#createRollout()
  }

  get readyEpoch(): number {
    return this.#rollout.readyEpoch
  }

  /** How the run begins: it has what it carries on disk and in memory. */
  begin(placement: NumberedPlacement): void {
    const { n, world, holders } = this.#parts
    for (const block of this.#blocks) {
      const { of } = block
      if (!world.carries(n, of.model, of.block)) continue
      this.#held.add(block)
      holders.put(n, of)
    }
    this.adopt(placement)
  }

  adopt(placement: NumberedPlacement): void {
    this.#rollout.adopt(placement)
    if (this.#fetch !== undefined && !this.#rollout.missing().includes(this.#fetch.block)) this.#fetch = undefined
    this.tick()
  }

  /** Called often. */
  tick(): void {
    while (this.#fetch === undefined) {
      const step = this.#rollout.next()
      if (step === undefined) return
      this.#take(step)
    }
  }

  #createRollout(): Rollout<OwnBlock> {
    const { n, id, input, replacement, world, holders, inUse, changed, now, others } = this.#parts
    const self = id(n)
    const numbers = new Map<ModelId, number>(input.models.map(({ name }, m) => [modelId(name), m]))
    return new Rollout<OwnBlock>({
      ...{ self, now, others, changed },
      memory: memoryOfLane(replacement.memory[n]!, input.devices[n]!.lanes),
      assigned: placement =>
        this.#blocks.filter(block => isPlaced(placement, self, block) && holders.isKnown(block.of.model)),
      knowsModels: placement =>
        [...(placement.get(self)?.keys() ?? [])].every(model => holders.isKnown(numbers.get(model)!)),
      held: () => [...this.#held],
      departed: () => [],
      weight: () => bytes([...this.#held].reduce((sum, block) => sum + block.bytes, 0)),
      inUse: ({ of }) => inUse(of.model, of.block),
      isOffered: ({ of }) => world.carries(n, of.model, of.block),
      offer: ({ of }, offered) => world.setCarried(n, of.model, of.block, offered),
      carriers: ({ of }) =>
        [...world.devices.keys()]
          .filter(other => other !== n && world.carries(other, of.model, of.block))
          .map(other => id(other)),
      say: () => {}
    })
  }

  #take({ kind, block }: RolloutStep<OwnBlock>): void {
    if (kind === 'fetch') this.#begin(block)
    else if (kind === 'load') {
      this.#held.add(block)
      this.#rollout.loaded(block)
    } else {
      this.#held.delete(block)
      this.#parts.changed()
    }
  }

  #begin(block: OwnBlock): void {
    const { n, holders } = this.#parts
    if (holders.has(n, block.of)) this.#rollout.fetched(block)
    else {
      this.#fetch = { block }
      this.#ask(this.#fetch, holders.toAsk(n, block.of))
    }
  }

  /** One after another, until one has given it. */
  #ask(fetch: { readonly block: OwnBlock }, [from, ...others]: readonly number[]): void {
    const { n, holders, world, lifeOf } = this.#parts
    const { block } = fetch
    if (from === undefined) {
      this.#rollout.failed(block, new Error('nobody gave it'), 'notGiven')
      this.#over()
      return
    }
    const life = lifeOf(from)
    const takes = holders.transfer(from, n, block.of)
    if (life === undefined || takes === undefined) {
      this.#ask(fetch, others)
      return
    }
    const has = holders.has(from, block.of)
    const answer = seconds(2 * (world.link(from, n)?.latency ?? 0))
    this.#parts.schedule(has ? takes : answer, () => {
      if (this.#fetch !== fetch) return // a newer placement does without
      if (has && lifeOf(from) === life) this.#came(block)
      else this.#ask(fetch, others)
    })
  }

  #came(block: OwnBlock): void {
    this.#parts.holders.put(this.#parts.n, block.of)
    this.#parts.fetched(block.bytes)
    this.#rollout.fetched(block)
    this.#over()
  }

  #over(): void {
    this.#fetch = undefined
    this.tick()
  }
}
