import { placementProblem } from '../cluster/placement-problem.ts'
import type { StatedDevice } from '../cluster/stated-device.ts'
import { deviceId, modelId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { isSamePlacement } from '../planner/is-same-placement.ts'
import type { Placement, PlacementProblem } from '../planner/placement.ts'
import { ReplanRule } from '../planner/replan-rule.ts'
import { BlockHolders, type BlockHoldersParts, type BlockOfModel } from './block-holders.ts'
import type { ReplacementInput, SimulationInput } from './simulation-input.ts'

export interface ReplacementParts {
  readonly input: SimulationInput
  readonly replacement: ReplacementInput
  readonly world: World
  readonly lifeOf: BlockHoldersParts['lifeOf']
  readonly now: () => Seconds
  /** Something that the run waits for. */
  readonly schedule: (delay: number, action: () => void) => void
  /** Something that it does not wait for. */
  readonly later: (delay: number, action: () => void) => void
  /** Whether a task at the device is queued for the block or runs it. */
  readonly inUse: (device: number, model: number, block: number) => boolean
  /** What devices carry has changed. */
  readonly changed: () => void
}

const PLANNING: Seconds = seconds(0.5)

/** As src/runtime/cluster/block-keeper.ts. */
const PATIENCE: Seconds = seconds(5)
const RETRY: Seconds = seconds(0.1)

interface Adopted {
  readonly placement: Placement
  readonly epoch: number
  readonly since: Seconds
}

/**
 * New placements while the world changes, in simulated time, by the rule of running clusters: each device fetches its new
 * blocks, one after another, from whoever has them, and loads each when it has room: for that it drops what is not asked for
 * any more and not in use. When all have their blocks, the rest of that goes too. Simpler than on a running device: fetching
 * does not slow activations down.
 */
export class Replacement {
  /** Weights fetched since the start. */
  moved = 0
  readonly #parts: ReplacementParts
  readonly #holders: BlockHolders
  readonly #rule = new ReplanRule()
  /** The newest, once there was one. */
  #current: Placement | undefined
  #busy = false
  #epoch = 0
  #fetching = 0

  /** To be created once it is known who is there from the beginning. */
  constructor(parts: ReplacementParts) {
    this.#parts = parts
    this.#holders = new BlockHolders({ ...parts, weights: parts.replacement.weights })
  }

  /** What devices carry at the start: the plan of whoever is there, or what the input says where all are. */
  start(): void {
    const { input, replacement, world } = this.#parts
    const isWhole = world.devices.every(({ up }) => up)
    const problem = this.#problem()
    this.#rule.planned(problem)
    const placement = isWhole ? undefined : replacement.place(problem)
    for (const [n, model, block] of this.#all()) {
      const wanted = placement === undefined ? input.carries(n, model, block) : isIn(placement, input, n, model, block)
      const carried = wanted && this.#holders.isKnown(model)
      world.setCarried(n, model, block, carried)
      if (carried) this.#holders.put(n, { model, block })
    }
  }

  /** A new process: what was loaded is not loaded any more. */
  joined(n: number): void {
    // Also where it was gone for so short that nobody planned without it.
    this.#rule.forget()
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
      const isDrift = this.#rule.planned(problem)
      const placement = replacement.place(problem)
      if (isDrift) this.#rule.came(this.#current === undefined || !isSamePlacement(placement, this.#current))
      this.#current = placement
      this.#adopt(placement)
    })
  }

  #adopt(placement: Placement): void {
    const { world, input } = this.#parts
    const plan: Adopted = { placement, epoch: ++this.#epoch, since: this.#parts.now() }
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
      this.#fetch(n, missing, plan)
    }
    if (this.#fetching === 0) this.#drop(plan)
  }

  /** One block after another, whichever somebody has first; a newer placement ends it. */
  #fetch(n: number, missing: readonly BlockOfModel[], plan: Adopted): void {
    const { schedule, later, lifeOf } = this.#parts
    if (missing.length === 0) {
      if (--this.#fetching === 0) this.#drop(plan)
      return
    }
    if (!this.#isCurrent(n, plan)) return
    const next = this.#nextOf(n, missing)
    if (next === undefined) {
      later(RETRY, () => this.#fetch(n, missing, plan))
      return
    }
    const { wanted, holder } = next
    schedule(holder.takes, () => {
      if (!this.#isCurrent(n, plan)) return
      if (lifeOf(holder.device) !== holder.life) return this.#fetch(n, missing, plan)
      if (!this.#holders.has(n, wanted)) this.moved += this.#parts.replacement.weights[wanted.model]![wanted.block]!
      this.#holders.put(n, wanted)
      const rest = missing.filter(block => block !== wanted)
      this.#load(n, wanted, plan, () => this.#fetch(n, rest, plan))
    })
  }

  #nextOf(n: number, missing: readonly BlockOfModel[]) {
    for (const wanted of missing) {
      const holder = this.#holders.nearest(n, wanted)
      if (holder !== undefined) return { wanted, holder }
    }
    return undefined
  }

  /** What is on disk is loaded as soon as there is room: others do without what is dropped for it for no longer than that. */
  #load(n: number, next: BlockOfModel, plan: Adopted, loaded: () => void): void {
    const { world, later, changed, replacement } = this.#parts
    if (!this.#isCurrent(n, plan)) return
    const size = replacement.weights[next.model]![next.block]!
    while (this.#room(n) < size) {
      if (this.#makeRoom(n, plan)) continue
      later(RETRY, () => this.#load(n, next, plan, loaded))
      return
    }
    world.setCarried(n, next.model, next.block, true)
    changed()
    loaded()
  }

  #isCurrent(n: number, { epoch }: Adopted): boolean {
    return epoch === this.#epoch && this.#parts.world.devices[n]!.up
  }

  /** What is not asked for any more goes as soon as nothing here needs it. */
  #drop(plan: Adopted): void {
    const { world, later } = this.#parts
    if (plan.epoch !== this.#epoch) return
    for (const n of world.devices.keys()) while (world.devices[n]!.up && this.#dropOne(this.#surplus(n, plan)));
    const isLeft = [...world.devices.keys()].some(n => world.devices[n]!.up && this.#surplus(n, plan).length > 0)
    if (isLeft) later(RETRY, () => this.#drop(plan))
  }

  /** Blocks that others carry go first; after a while, any: two devices may wait for each other. */
  #makeRoom(n: number, plan: Adopted): boolean {
    const { world, now } = this.#parts
    const surplus = this.#surplus(n, plan)
    const isPatient = now() - plan.since < PATIENCE
    const elsewhere = surplus.filter(({ model, block }) =>
      world.devices.some((_, other) => other !== n && world.carries(other, model, block))
    )
    return this.#dropOne(isPatient ? elsewhere : surplus)
  }

  #dropOne(candidates: readonly (BlockOfModel & { readonly device: number })[]): boolean {
    const { world, inUse, changed } = this.#parts
    const idle = candidates.find(({ device, model, block }) => !inUse(device, model, block))
    if (idle === undefined) return false
    world.setCarried(idle.device, idle.model, idle.block, false)
    changed()
    return true
  }

  #surplus(n: number, { placement }: Adopted): (BlockOfModel & { readonly device: number })[] {
    const { world, input } = this.#parts
    return this.#all().flatMap(([device, model, block]) =>
      device === n && world.carries(n, model, block) && !isIn(placement, input, n, model, block)
        ? [{ device, model, block }]
        : []
    )
  }

  #room(n: number): number {
    const { world, replacement } = this.#parts
    const held = this.#all().reduce(
      (sum, [device, m, k]) => sum + (device === n && world.carries(n, m, k) ? replacement.weights[m]![k]! : 0),
      0
    )
    return replacement.memory[n]! - held
  }

  #all(): (readonly [number, number, number])[] {
    const { devices, models } = this.#parts.input
    return devices.flatMap((_, n) => models.flatMap(({ work }, m) => [...work.keys()].map(k => [n, m, k] as const)))
  }

  /** What the devices that are up would say. */
  #problem(): PlacementProblem {
    const { input, replacement, world } = this.#parts
    return placementProblem({
      devices: [...world.devices.keys()].filter(n => world.devices[n]!.up).map(n => this.#stated(n)),
      models: input.models.map(({ name, work, activations, pinned }, m) => ({
        id: modelId(name),
        blocks: work.map((time, k) => ({ work: time, bytes: replacement.weights[m]![k]! })),
        ...{ activations, pinned }
      })),
      wholeModels: replacement.wholeModels
    })
  }

  #stated(n: number): StatedDevice {
    const { input, replacement, world } = this.#parts
    const { speed } = input.devices[n]!
    return {
      ...{ id: idOf(input, n), speed, memory: replacement.memory[n]! },
      models: input.models.map(({ name, work, times }, m) => ({
        model: modelId(name),
        carried: [...work.keys()]
          .filter(k => world.carries(n, m, k))
          .map(block => ({ block, seconds: world.blockTime(n, m, block) })),
        times: times?.[n]?.map(time => time * speed) ?? []
      })),
      links: world.links[n]!.filter(({ up }) => up).map(({ to, rate, latency, resource }) => ({
        ...{ to: idOf(input, to), rate, latency },
        medium: input.links.find(link => link.from === n && link.to === to)?.medium === undefined ? undefined : resource
      })),
      sources: input.sources.flatMap(({ device, model }, s) =>
        device === n ? [{ model: modelId(input.models[model]!.name), demand: replacement.demands[s]! }] : []
      )
    }
  }
}

const idOf = ({ devices }: SimulationInput, n: number) => deviceId(devices[n]!.name)

const isIn = (placement: Placement, input: SimulationInput, n: number, m: number, k: number): boolean =>
  placement.get(idOf(input, n))?.get(modelId(input.models[m]!.name))?.includes(k) === true
