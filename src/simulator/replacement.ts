import { Election } from '../cluster/election.ts'
import { Leader } from '../cluster/leader.ts'
import type { NumberedPlacement } from '../cluster/numbered-placement.ts'
import { PlacementInbox } from '../cluster/placement-inbox.ts'
import { placementProblem } from '../cluster/placement-problem.ts'
import { areReady } from '../cluster/readiness.ts'
import type { StatedDevice } from '../cluster/stated-device.ts'
import { epochOf, termOf } from '../core/epoch.ts'
import { type DeviceId, deviceId, modelId } from '../core/ids.ts'
import { memoryOfLane } from '../core/memory-of-lane.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'
import { isPlaced } from '../planner/is-placed.ts'
import type { Placement, PlacementProblem } from '../planner/placement.ts'
import { BlockHolders } from './block-holders.ts'
import { SimulatedKeeper } from './simulated-keeper.ts'
import type { ReplacementInput, SimulationInput } from './simulation-input.ts'

export interface ReplacementParts {
  readonly input: SimulationInput
  readonly replacement: ReplacementInput
  readonly world: World
  /** Of a device: undefined while it is gone or about to go. */
  readonly lifeOf: (device: number) => number | undefined
  readonly now: () => Seconds
  /** Something that the run waits for. */
  readonly schedule: (delay: number, action: () => void) => void
  /** What one device tells another, unless that is gone or another process when it comes. */
  readonly message: (from: number, to: number, arrive: () => void) => void
  /** Whether a task at the device is queued for the block or runs it. */
  readonly inUse: (device: number, model: number, block: number) => boolean
  /** What devices carry has changed. */
  readonly changed: () => void
}

/** What a plan takes where the input does not say it. */
const PLANNING: Seconds = seconds(0.5)

/** One process of a device. */
interface Life {
  readonly election: Election
  readonly inbox: PlacementInbox
  readonly leader: Leader
  readonly keeper: SimulatedKeeper
  /** The newest that it believes. */
  placement: NumberedPlacement | undefined
  /** For which it has told the others that it is ready. */
  told: number
  /** By device that it has heard of: for which placement that one is ready. */
  readonly readyEpochs: Map<number, number>
}

/** Who is there; the same for as long as the world's reach is. */
interface There {
  readonly reach: number
  readonly present: readonly number[]
  /** By id. */
  readonly staying: readonly { readonly id: DeviceId; readonly canPlan: boolean }[]
}

/**
 * New placements while the world changes, in simulated time: each device has a leader and a rollout as running ones have. They
 * hear from each other what is placed and who is ready; what each carries, and how fast everything is, all know at once.
 */
export class Replacement {
  /** Weights fetched since the start. */
  moved = 0
  readonly #parts: ReplacementParts
  readonly #holders: BlockHolders
  readonly #ids: readonly DeviceId[]
  readonly #lives: Life[]
  #whoIsThere: There | undefined

  /** To be created once it is known who is there from the beginning. */
  constructor(parts: ReplacementParts) {
    this.#parts = parts
    this.#holders = new BlockHolders({ ...parts, weights: parts.replacement.weights })
    this.#ids = parts.input.devices.map(({ name }) => deviceId(name))
    this.#lives = this.#ids.map((_, n) => this.#begin(n))
  }

  /** What devices carry at the start: the plan of whoever is there, or what the input says where all are. */
  start(): void {
    const { replacement, world } = this.#parts
    const isWhole = world.devices.every(({ up }) => up)
    const placement = isWhole ? this.#carried() : replacement.place(this.#problem())
    for (const [n, m, k] of this.#all())
      world.setCarried(n, m, k, this.#isPlaced(placement, n, m, k) && this.#holders.isKnown(m))
    const epoch = epochOf(1, 1)
    for (const { election } of this.#lives) election.tick()
    for (const [n, { leader, readyEpochs }] of this.#lives.entries()) {
      for (const other of this.#present()) if (other !== n) readyEpochs.set(other, epoch)
      if (leader.isHere()) leader.planned()
    }
    const [planner] = this.#present()
      .map(n => this.#ids[n]!)
      .sort()
    if (planner === undefined) return
    for (const n of this.#present()) this.#follow(n, { epoch, planner, placement, unplaced: [] }, 'begin')
  }

  /** A new process: what was loaded is not loaded any more, and the others introduce themselves to it. */
  joined(n: number): void {
    const { world, message } = this.#parts
    for (const [device, m, k] of this.#all()) if (device === n) world.setCarried(n, m, k, false)
    this.#lives[n] = this.#begin(n)
    for (const other of this.#present()) {
      if (other === n) continue
      const { placement, told } = this.#lives[other]!
      message(other, n, () => {
        this.#lives[n]!.readyEpochs.set(other, told)
        if (placement !== undefined && placement.planner === this.#ids[other]) this.#hear(n, other, placement)
      })
      message(n, other, () => this.#lives[other]!.readyEpochs.set(n, 0))
    }
  }

  /** Whether what is placed is loaded, as far as device `n` has heard. */
  isReady(n: number): boolean {
    const { placement, keeper, readyEpochs } = this.#lives[n]!
    const staying = this.#present().map(other => ({
      id: this.#ids[other]!,
      readyEpoch: other === n ? keeper.readyEpoch : (readyEpochs.get(other) ?? 0)
    }))
    return areReady(staying, placement)
  }

  /** Called often. */
  tick(): void {
    for (const n of this.#present()) {
      if (this.#parts.lifeOf(n) === undefined) continue // nobody has noticed yet that it is gone
      const { election, inbox, leader, keeper, placement } = this.#lives[n]!
      election.tick()
      inbox.tick()
      leader.tick(placement)
      keeper.tick()
    }
  }

  #begin(n: number): Life {
    const { input, replacement, world, lifeOf, schedule, now, inUse } = this.#parts
    const readyEpochs = new Map<number, number>()
    const keeper = new SimulatedKeeper({
      ...{ n, input, replacement, world, lifeOf, now, holders: this.#holders },
      id: device => this.#ids[device]!,
      schedule: (delay, action) => this.#whileIn(n, schedule, delay, action),
      inUse: (model, block) => inUse(n, model, block),
      others: () =>
        this.#present().flatMap(other =>
          other === n ? [] : [{ id: this.#ids[other]!, readyEpoch: readyEpochs.get(other) ?? 0 }]
        ),
      changed: () => this.#changed(n),
      fetched: size => {
        this.moved += size
      }
    })
    const election = this.#createElection(n)
    const inbox = new PlacementInbox({
      ...{ now, election, fault: () => undefined, refused: () => {} },
      adopt: placement => this.#follow(n, placement)
    })
    const leader = this.#createLeader(n, election, readyEpochs)
    return { election, inbox, leader, keeper, placement: undefined, told: 0, readyEpochs }
  }

  /** Votes are known at once, as all is that devices say of themselves; every planner does what it is to. */
  #createElection(n: number): Election {
    const voteOf = (other: number) => {
      const { election, placement } = this.#lives[other]!
      const follows = placement && { term: termOf(placement.epoch), planner: placement.planner }
      return { id: this.#ids[other]!, elects: election.elects, follows }
    }
    return new Election({
      ...{ self: this.#ids[n]!, now: this.#parts.now, staying: () => this.#staying() },
      votes: () => this.#present().flatMap(other => (other === n ? [] : [voteOf(other)])),
      current: () => this.#lives[n]?.placement,
      ...{ owes: () => false, say: () => {}, nameOf: String }
    })
  }

  #createLeader(n: number, election: Election, heard: ReadonlyMap<number, number>): Leader {
    const { replacement, now, schedule } = this.#parts
    return new Leader({
      self: this.#ids[n]!,
      now,
      election,
      allAreKnown: () => this.#present().every(other => other === n || heard.has(other)),
      problem: () => this.#problem(),
      make: (problem, made) =>
        this.#whileIn(n, schedule, replacement.planningTime ?? PLANNING, () =>
          made({ placement: replacement.place(problem), unplaced: [] })
        ),
      publish: placement => {
        for (const to of this.#present()) if (to !== n) this.#parts.message(n, to, () => this.#hear(to, n, placement))
        this.#follow(n, placement)
      }
    })
  }

  /** Nothing comes of it where this process has ended by then. */
  #whileIn(n: number, schedule: ReplacementParts['schedule'], delay: number, action: () => void): void {
    const life = this.#parts.lifeOf(n)
    schedule(delay, () => {
      if (life !== undefined && this.#parts.lifeOf(n) === life) action()
    })
  }

  #hear(n: number, from: number, placement: NumberedPlacement): void {
    this.#lives[n]!.inbox.heard(this.#ids[from]!, placement)
  }

  #follow(n: number, placement: NumberedPlacement, how: 'begin' | 'adopt' = 'adopt'): void {
    const life = this.#lives[n]!
    life.placement = placement
    life.keeper[how](placement)
  }

  #changed(n: number): void {
    const { message, changed } = this.#parts
    changed()
    const { keeper, told } = this.#lives[n]!
    const { readyEpoch } = keeper
    if (readyEpoch === told) return
    this.#lives[n]!.told = readyEpoch
    for (const to of this.#present())
      if (to !== n) message(n, to, () => this.#lives[to]!.readyEpochs.set(n, readyEpoch))
  }

  #present(): readonly number[] {
    return this.#there().present
  }

  #staying(): There['staying'] {
    return this.#there().staying
  }

  /** Every device asks for it all the time, and it hardly changes. */
  #there(): There {
    const { devices, reach } = this.#parts.world
    if (this.#whoIsThere?.reach === reach) return this.#whoIsThere
    const present = [...devices.keys()].filter(n => devices[n]!.up)
    const ids = present.map(n => this.#ids[n]!)
    this.#whoIsThere = { reach, present, staying: ids.sort().map(id => ({ id, canPlan: true })) }
    return this.#whoIsThere
  }

  #carried(): Placement {
    const { input } = this.#parts
    return new Map(
      this.#ids.map((id, n) => [
        id,
        new Map(
          input.models.map(({ name, work }, m) => [modelId(name), [...work.keys()].filter(k => input.carries(n, m, k))])
        )
      ])
    )
  }

  #isPlaced(placement: Placement, n: number, m: number, block: number): boolean {
    return isPlaced(placement, this.#ids[n]!, { model: modelId(this.#parts.input.models[m]!.name), block })
  }

  #all(): (readonly [number, number, number])[] {
    const { devices, models } = this.#parts.input
    return devices.flatMap((_, n) => models.flatMap(({ work }, m) => [...work.keys()].map(k => [n, m, k] as const)))
  }

  /** What the devices that are up would say. */
  #problem(): PlacementProblem {
    const { input, replacement } = this.#parts
    const { weights, wholeModels } = replacement
    return placementProblem({
      devices: this.#present().map(n => this.#stated(n)),
      models: input.models.flatMap(({ name, work, activations, pinned }, m) =>
        this.#holders.isKnown(m)
          ? [
              {
                ...{ id: modelId(name), activations, pinned },
                blocks: work.map((time, k) => ({ work: time, bytes: weights[m]![k]! }))
              }
            ]
          : []
      ),
      wholeModels
    })
  }

  #stated(n: number): StatedDevice {
    const { input, replacement, world } = this.#parts
    const { speed, lanes } = input.devices[n]!
    return {
      ...{ id: this.#ids[n]!, speed, lanes, memory: memoryOfLane(replacement.memory[n]!, lanes) },
      models: input.models.map(({ name, work, times }, m) => ({
        model: modelId(name),
        carried: [...work.keys()]
          .filter(k => world.carries(n, m, k))
          .map(block => ({ block, seconds: world.sharedTime(n, m, block, FULL_QUEUE) })),
        times: times?.[n]?.map(time => time * speed) ?? []
      })),
      links: world.links[n]!.filter(({ up }) => up).map(({ to, rate, latency, resource }) => ({
        ...{ to: this.#ids[to]!, rate, latency },
        medium: input.links.find(link => link.from === n && link.to === to)?.medium === undefined ? undefined : resource
      })),
      sources: input.sources.flatMap(({ device, model }, s) =>
        device === n ? [{ model: modelId(input.models[model]!.name), demand: replacement.demands[s]! }] : []
      )
    }
  }
}

/** A plan is for devices that have all that they can do. */
const FULL_QUEUE = seconds(Number.POSITIVE_INFINITY)
