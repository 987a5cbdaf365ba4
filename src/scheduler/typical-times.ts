import { blocksOf } from '../core/progress.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'

/**
 * The whole model's time on a device of mean speed: the harmonic mean of its times over the devices that are up. Found anew
 * when a time has changed.
 */
export class TypicalTimes {
  readonly #world: World
  readonly #known: { readonly pace: number; readonly time: Seconds }[] = []

  constructor(world: World) {
    this.#world = world
  }

  of(model: number): Seconds {
    const { pace } = this.#world
    const known = this.#known[model]
    if (known?.pace === pace) return known.time
    const time = typicalTime(this.#world, model)
    this.#known[model] = { pace, time }
    return time
  }
}

const typicalTime = (world: World, model: number): Seconds => {
  const blocks = blocksOf(world, model)
  let devices = 0
  let rates = 0
  for (const [n, device] of world.devices.entries()) {
    if (!device.up) continue
    let time = 0
    for (let k = 0; k < blocks; k++) time += world.blockTime(n, model, k)
    devices++
    rates += 1 / time
  }
  return seconds(devices / rates)
}
