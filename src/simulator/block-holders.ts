import { shortestTransfer } from '../core/shortest-transfer.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { ReplacementInput, SimulationInput } from './simulation-input.ts'

export interface BlockOfModel {
  readonly model: number
  readonly block: number
}

export interface BlockHoldersParts {
  readonly input: SimulationInput
  readonly weights: ReplacementInput['weights']
  readonly world: World
  /** Which of its lives a device is in; undefined while it is gone or about to go. */
  readonly lifeOf: (device: number) => number | undefined
}

export interface Holder {
  readonly device: number
  /** Of the device: what it gives is broken off when it ends. */
  readonly life: number
  readonly takes: Seconds
}

/** Who has blocks on disk, and from whom they are fetched. What is on disk outlives the process. */
export class BlockHolders {
  readonly #parts: BlockHoldersParts
  /** By "device model block". */
  readonly #onDisk = new Set<string>()
  /** By model: the device that has its file, of its first source that is there from the beginning. */
  readonly #owners: readonly (number | undefined)[]

  /** To be created once it is known who is there from the beginning. */
  constructor(parts: BlockHoldersParts) {
    this.#parts = parts
    const { input, world } = parts
    this.#owners = input.models.map((_, m) => {
      const devices = input.sources.filter(({ model }) => model === m).map(({ device }) => device)
      return devices.find(n => world.devices[n]!.up) ?? devices[0]
    })
    for (const [model, owner] of this.#owners.entries()) {
      if (owner === undefined) continue
      for (const block of input.models[model]!.work.keys()) this.put(owner, { model, block })
    }
  }

  put(device: number, { model, block }: BlockOfModel): void {
    this.#onDisk.add(`${device} ${model} ${block}`)
  }

  has(device: number, { model, block }: BlockOfModel): boolean {
    return this.#onDisk.has(`${device} ${model} ${block}`)
  }

  /** Whether anybody can have the model's blocks: not before its owner has come. */
  isKnown(model: number): boolean {
    const owner = this.#owners[model]
    return owner === undefined || this.#parts.world.devices[owner]!.up
  }

  /**
   * As running devices ask (src/runtime/cluster/block-keeper.ts): the model's owner and those that carry the block, over the
   * fastest link first; then whoever has it on disk. Where no neighbour has it, it comes over several hops.
   * @returns undefined while nobody who is there and can be reached has it
   */
  nearest(to: number, wanted: BlockOfModel): Holder | undefined {
    const { world, lifeOf } = this.#parts
    const life = lifeOf(to)
    if (life !== undefined && this.has(to, wanted)) return { device: to, life, takes: seconds(0) }
    const { model, block } = wanted
    const speaksOfIt = (n: number): boolean => n === this.#owners[model] || world.carries(n, model, block)
    const holders = [...world.devices.keys()].filter(n => n !== to && this.has(n, wanted))
    return (
      this.#soonest(holders.filter(speaksOfIt), n => this.#overLink(n, to, wanted)) ??
      this.#soonest(holders, n => this.#overLink(n, to, wanted)) ??
      this.#soonest(holders, n => shortestTransfer(world, n, this.#size(wanted), target => target === to)?.takes)
    )
  }

  #soonest(holders: readonly number[], timeFrom: (device: number) => Seconds | undefined): Holder | undefined {
    let best: Holder | undefined
    for (const device of holders) {
      const life = this.#parts.lifeOf(device)
      if (life === undefined) continue
      const takes = timeFrom(device)
      if (takes !== undefined && takes < (best?.takes ?? Number.POSITIVE_INFINITY)) best = { device, life, takes }
    }
    return best
  }

  #overLink(from: number, to: number, wanted: BlockOfModel): Seconds | undefined {
    const link = this.#parts.world.link(from, to)
    return link?.up === true ? seconds(this.#size(wanted) / link.rate) : undefined
  }

  #size({ model, block }: BlockOfModel) {
    return this.#parts.weights[model]![block]!
  }
}
