import { type PossibleHolder, whomToAsk } from '../cluster/whom-to-ask.ts'
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
}

/** Who has blocks on disk, and from whom they are fetched. What is on disk outlives the process. */
export class BlockHolders {
  readonly #parts: BlockHoldersParts
  /** By "device model block". */
  readonly #onDisk = new Set<string>()
  /** By model: the device that has its file, of its first source that is there from the beginning. */
  readonly #owners: readonly (number | undefined)[]
  /** Models whose owners have been there. */
  readonly #known = new Set<number>()

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

  /** Whether its owner has come: nobody hears of the model before. */
  isKnown(model: number): boolean {
    const owner = this.#owners[model]
    if (owner === undefined || this.#parts.world.devices[owner]!.up) this.#known.add(model)
    return this.#known.has(model)
  }

  /** Devices that speak of the model and can be reached, in the order in which they are asked for the block. */
  toAsk(to: number, wanted: BlockOfModel): readonly number[] {
    const { world } = this.#parts
    const speak = [...world.devices.keys()].filter(
      n => n !== to && world.devices[n]!.up && this.#speaksOf(n, wanted.model)
    )
    const holders = speak.map((n): PossibleHolder & { readonly device: number } => ({
      device: n,
      has: n === this.#owners[wanted.model] || world.carries(n, wanted.model, wanted.block),
      rate: world.link(n, to)?.up === true ? world.link(n, to)!.rate : 0
    }))
    return whomToAsk(holders).map(({ device }) => device)
  }

  #speaksOf(n: number, model: number): boolean {
    const { input, world } = this.#parts
    const { work, times } = input.models[model]!
    return (
      n === this.#owners[model] || times?.[n] !== undefined || [...work.keys()].some(k => world.carries(n, model, k))
    )
  }

  /** What the block takes from one device to another: over their link, else over several. @returns undefined where no way leads */
  transfer(from: number, to: number, { model, block }: BlockOfModel): Seconds | undefined {
    const { world, weights } = this.#parts
    const size = weights[model]![block]!
    const link = world.link(from, to)
    if (link?.up === true) return seconds(size / link.rate)
    return shortestTransfer(world, from, size, target => target === to)?.takes
  }
}
