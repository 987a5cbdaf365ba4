import { deviceId, modelId } from '../core/ids.ts'
import { bytesPerSecond, type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import type { Placement, PlacementProblem } from '../planner/placement.ts'
import { ReplanRule } from '../planner/replan-rule.ts'
import type { ReplacementInput, SimulationInput } from './simulation-input.ts'

export interface ReplacementParts {
  readonly input: SimulationInput
  readonly replacement: ReplacementInput
  readonly world: World
  readonly now: () => Seconds
  /** Something that the run waits for. */
  readonly schedule: (delay: number, action: () => void) => void
  /** What devices carry has changed. */
  readonly changed: () => void
}

const PLANNING: Seconds = seconds(0.5)

interface Missing {
  readonly model: number
  readonly block: number
}

/**
 * New placements while the world changes, in simulated time, by the rule of running clusters: each device fetches its new
 * blocks, one after another, from the model's owner (the device of its first source) or over the fastest link that leads
 * there; when all have theirs, what is not asked for is dropped. A block that a device has had is on its disk. Fetching
 * does not slow activations down, and for that while a device may hold more than its memory: both are simpler here than on
 * a running device.
 */
export class Replacement {
  /** Weights fetched since the start. */
  moved = 0
  readonly #parts: ReplacementParts
  /** Blocks that a device has had: on its disk, loaded without fetching. By "device model block". */
  readonly #had = new Set<string>()
  readonly #rule = new ReplanRule()
  #busy = false
  #epoch = 0
  #fetching = 0

  constructor(parts: ReplacementParts) {
    this.#parts = parts
  }

  /** What devices carry at the start: the plan of whoever is there, or what the input says where all are. */
  start(): void {
    const { input, replacement, world } = this.#parts
    const isWhole = world.devices.every(({ up }) => up)
    const problem = this.#problem()
    this.#rule.planned(problem)
    const placement = isWhole ? undefined : replacement.place(problem)
    for (const [s, { device, model }] of input.sources.entries()) {
      if (input.sources.findIndex(source => source.model === model) !== s) continue
      for (const k of input.models[model]!.work.keys()) this.#had.add(`${device} ${model} ${k}`) // its owner
    }
    for (const [n, m, k] of this.#all()) {
      const carried = placement === undefined ? input.carries(n, m, k) : isIn(placement, input, n, m, k)
      world.setCarried(n, m, k, carried)
      if (carried) this.#had.add(`${n} ${m} ${k}`)
    }
  }

  /** A new process: what was loaded is not loaded any more. */
  joined(n: number): void {
    for (const [device, m, k] of this.#all()) if (device === n) this.#parts.world.setCarried(n, m, k, false)
  }

  /** Called often. */
  tick(): void {
    if (this.#busy) return
    const { replacement, schedule, now } = this.#parts
    const problem = this.#problem()
    if (!this.#rule.isDue(problem, now())) return
    this.#busy = true
    schedule(replacement.planningTime ?? PLANNING, () => {
      this.#busy = false
      this.#rule.planned(problem)
      this.#adopt(replacement.place(problem))
    })
  }

  #adopt(placement: Placement): void {
    const { world, input } = this.#parts
    const epoch = ++this.#epoch
    this.#fetching = 0
    for (const [n, { up }] of world.devices.entries()) {
      if (!up) continue
      const missing = this.#all().flatMap(([device, model, block]) =>
        device === n && isIn(placement, input, n, model, block) && !world.carries(n, model, block)
          ? [{ model, block }]
          : []
      )
      if (missing.length === 0) continue
      this.#fetching++
      this.#fetch(n, missing, epoch, placement)
    }
    if (this.#fetching === 0) this.#drop(placement)
  }

  /** One block after another; a newer placement ends it. */
  #fetch(n: number, [next, ...rest]: readonly Missing[], epoch: number, placement: Placement): void {
    const { world, schedule, changed, replacement } = this.#parts
    if (next === undefined) {
      if (--this.#fetching === 0) this.#drop(placement)
      return
    }
    const { model, block } = next
    const key = `${n} ${model} ${block}`
    const size = replacement.weights[model]![block]!
    schedule(this.#had.has(key) ? 0 : size / this.#rateTo(n, model), () => {
      if (epoch !== this.#epoch || !world.devices[n]!.up) return
      if (!this.#had.has(key)) this.moved += size
      this.#had.add(key)
      world.setCarried(n, model, block, true)
      changed()
      this.#fetch(n, rest, epoch, placement)
    })
  }

  #drop(placement: Placement): void {
    const { world, input, changed } = this.#parts
    for (const [n, m, k] of this.#all()) {
      if (world.devices[n]!.up && !isIn(placement, input, n, m, k)) world.setCarried(n, m, k, false)
    }
    changed()
  }

  /** From the owner of the model where a link leads there, otherwise over the fastest link that does. */
  #rateTo(n: number, model: number): number {
    const { world, input } = this.#parts
    const owner = input.sources.find(source => source.model === model)?.device
    const direct = owner === undefined || owner === n ? undefined : world.link(owner, n)
    if (direct?.up === true) return direct.rate
    const rates = world.links.flatMap(links => links.filter(({ to, up }) => to === n && up).map(({ rate }) => rate))
    return rates.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...rates)
  }

  #all(): (readonly [number, number, number])[] {
    const { devices, models } = this.#parts.input
    return devices.flatMap((_, n) => models.flatMap(({ work }, m) => [...work.keys()].map(k => [n, m, k] as const)))
  }

  /** What the devices that are up believe. */
  #problem(): PlacementProblem {
    const { input, replacement, world } = this.#parts
    const up = [...world.devices.keys()].filter(n => world.devices[n]!.up)
    const place = new Map(up.map((n, i) => [n, i]))
    return {
      devices: up.map(n => ({ id: idOf(input, n), speed: this.#speedOf(n), memory: replacement.memory[n]! })),
      models: input.models.map(({ name, work, activations }, m) => ({
        id: modelId(name),
        blocks: work.map((time, k) => ({ work: time, bytes: replacement.weights[m]![k]! })),
        activations
      })),
      links: up.flatMap(n =>
        world.links[n]!.flatMap(({ to, rate, latency, up: isUp, resource }) => {
          const other = place.get(to)
          if (!isUp || other === undefined) return []
          const medium = input.links.find(link => link.from === n && link.to === to)?.medium
          const shared = medium === undefined ? {} : { medium: resource }
          return [{ from: place.get(n)!, to: other, rate: bytesPerSecond(rate), latency, ...shared }]
        })
      ),
      sources: input.sources.flatMap(({ device, model }, s) => {
        const at = place.get(device)
        return at === undefined ? [] : [{ device: at, model, demand: replacement.demands[s]! }]
      }),
      wholeModels: replacement.wholeModels,
      carried: new Map(
        up.map(n => [
          idOf(input, n),
          new Map(
            input.models.map(({ name, work }, m) => [
              modelId(name),
              [...work.keys()].filter(k => world.carries(n, m, k))
            ])
          )
        ])
      )
    }
  }

  /** What its blocks really take. */
  #speedOf(n: number): number {
    const { world, input } = this.#parts
    let work = 0
    let time = 0
    for (const [m, model] of input.models.entries()) {
      for (const [k, nominal] of model.work.entries()) {
        if (!world.carries(n, m, k)) continue
        work += nominal
        time += world.blockTime(n, m, k)
      }
    }
    return time > 0 ? work / time : world.devices[n]!.speed
  }
}

const idOf = ({ devices }: SimulationInput, n: number) => deviceId(devices[n]!.name)

const isIn = (placement: Placement, input: SimulationInput, n: number, m: number, k: number): boolean =>
  placement.get(idOf(input, n))?.get(modelId(input.models[m]!.name))?.includes(k) === true
