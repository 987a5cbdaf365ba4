import type { DeviceId, ModelId } from '../core/ids.ts'
import { type Bytes, type Seconds, seconds } from '../core/units.ts'
import { isPlaced } from '../planner/is-placed.ts'
import type { Placement } from '../planner/placement.ts'
import { KeepFailures, type KeptBlock } from './keep-failures.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

export interface RolloutBlock extends KeptBlock {
  /** Of the device's memory. */
  readonly bytes: Bytes
  /** Blocks of one digest are one file on the disk. */
  readonly digest: string
}

/** What a rollout needs of the device around it, real or simulated. All answers are of this moment. */
export interface RolloutPorts<B extends RolloutBlock> {
  readonly self: DeviceId
  readonly now: () => Seconds
  readonly memory: Bytes
  /** Of blocks that are placed here: those of models that are known and may be computed here. */
  readonly assigned: (placement: Placement) => readonly B[]
  /** Whether all models that the placement names for this device are known, or gone. */
  readonly knowsModels: (placement: Placement) => boolean
  /** What is loaded, of models that are known. */
  readonly held: () => readonly B[]
  /** Of these, what is of models that have left the cluster. */
  readonly departed: () => readonly B[]
  /** Of all that is loaded. */
  readonly weight: () => Bytes
  /** Whether a task here is queued for the block or runs it. */
  readonly inUse: (block: B) => boolean
  /** Whether the others are told that this device computes the block, and that they are from now on, or no longer. */
  readonly isOffered: (block: B) => boolean
  readonly offer: (block: B, offered: boolean) => void
  /** Other devices that carry it, as far as is known. */
  readonly carriers: (block: B) => readonly DeviceId[]
  /** Other devices that stay, and the newest placement for which each has said that it is ready. */
  readonly others: () => readonly { readonly id: DeviceId; readonly readyEpoch: number }[]
  /** What is offered, what this device is ready for, or whether it takes blocks, has changed: the others are to hear of it. */
  readonly changed: () => void
  /** @param about what it is about */
  readonly say: (text: string, about: B) => void
}

/** What is to be done next; whoever does it says how it went, then asks again. */
export type RolloutStep<B extends RolloutBlock> =
  /** To disk, verified, unless it is there. Then `fetched` or `failed`. */
  | { readonly kind: 'fetch'; readonly block: B }
  /** Into memory. Then `loaded` or `failed`. */
  | { readonly kind: 'load'; readonly block: B }
  /** Out of memory: nobody counts on it any more. */
  | { readonly kind: 'drop'; readonly block: B }

/** A device that waits this long for others to take over what it must drop first, drops it: two may wait for each other. */
const PATIENCE: Seconds = seconds(5)
/** A block that is to be dropped waits this long for a moment without tasks. */
const LINGER: Seconds = seconds(0.3)

/**
 * How a device comes to what the newest placement asks of it: fetch, verify, make room, load, tell, say ready; and drop what is
 * no longer asked for once all devices of the placement are ready, or earlier where memory needs the room and somebody else
 * carries the block. A block that a task here still needs stays until the task has gone on. Blocks that fail let the others go
 * first, then rest. Decides; does nothing itself.
 */
export class Rollout<B extends RolloutBlock> {
  /** Blocks that are to be here and are not to be had. */
  readonly failures = new KeepFailures()
  readonly #ports: RolloutPorts<B>
  #wanted: NumberedPlacement | undefined
  /** As it was when the latest step was given out: how that goes is of no matter to a newer one. */
  #begunFor: NumberedPlacement | undefined
  /** The digest of the latest block that is on the disk. */
  #fetched: string | undefined
  /** Digests of blocks that failed: the others come first, until all have been tried. */
  readonly #tried = new Set<string>()
  #readyEpoch = 0
  #notBefore: Seconds = seconds(0)
  #stuckSince: Seconds | undefined
  /** Since when all that is to be dropped is in use. */
  #busySince: Seconds | undefined

  constructor(ports: RolloutPorts<B>) {
    this.#ports = ports
  }

  /** The newest placement for which all that it asks of this device is loaded; 0 where there was none. */
  get readyEpoch(): number {
    return this.#readyEpoch
  }

  /** The newest placement that it was told. */
  get wanted(): NumberedPlacement | undefined {
    return this.#wanted
  }

  /** Whether there is a placement, and no pause after failures. */
  get isDue(): boolean {
    return this.#wanted !== undefined && this.#ports.now() >= this.#notBefore
  }

  /** A newer one counts at once; pauses after failures end with it. */
  adopt(placement: NumberedPlacement): void {
    this.#wanted = placement
    // One that comes back from where it was alone may begin again with a smaller one.
    if (placement.epoch < this.#readyEpoch) this.#readyEpoch = 0
    this.#stuckSince = undefined
    this.#notBefore = seconds(0)
  }

  /** What is placed here and is not loaded. */
  missing(): readonly B[] {
    return this.#wanted === undefined ? [] : this.#assigned(this.#wanted).missing
  }

  /** To be asked often, and on every change; not while a step is under way. @returns undefined where there is nothing to do now */
  next(): RolloutStep<B> | undefined {
    const wanted = this.#wanted
    if (wanted === undefined || !this.isDue) return undefined
    this.#begunFor = wanted
    return this.#drop(this.#ports.departed()) ?? this.#towards(wanted)
  }

  #towards(wanted: NumberedPlacement): RolloutStep<B> | undefined {
    const { here, missing } = this.#assigned(wanted)
    this.#offerAgain(here)
    this.failures.retain(missing)
    const next = missing.find(({ digest }) => !this.#tried.has(digest)) ?? missing[0]
    if (next === undefined) return this.#settle(wanted)
    // To disk first: others do without what is dropped for it for no longer than loading takes.
    if (next.digest !== this.#fetched) return { kind: 'fetch', block: next }
    return this.#room() < next.bytes ? this.#makeRoom(wanted) : { kind: 'load', block: next }
  }

  fetched({ digest }: B): void {
    this.#fetched = digest
  }

  /** It is loaded, and told to the others from now on. */
  loaded(block: B): void {
    this.#fetched = undefined
    this.#stuckSince = undefined
    this.#ports.offer(block, true)
    this.failures.succeeded(block)
    this.#ports.changed()
  }

  /** The others come first; once all have been tried, there is a pause. @param kind 'notGiven': others did not give it, unless the disk refused it */
  failed(block: B, error: unknown, kind: 'notGiven' | 'notLoaded'): void {
    this.#fetched = undefined
    const wanted = this.#wanted
    if (wanted === undefined || wanted !== this.#begunFor) return
    const { now, say, changed } = this.#ports
    const wasFull = this.failures.isFull(now())
    const words = this.failures.failed(block, error, kind, now())
    if (words !== undefined) say(words, block)
    // What is a trouble by now is said by whoever says troubles; that there is no room here, the planner hears.
    if (kind === 'notLoaded' || words !== undefined || wasFull !== this.failures.isFull(now())) changed()
    this.#tried.add(block.digest)
    if (!this.#assigned(wanted).missing.every(({ digest }) => this.#tried.has(digest))) return
    this.#tried.clear()
    this.rest()
  }

  /** Nothing for a moment: something failed that is no block's fault. */
  rest(): void {
    this.#notBefore = seconds(this.#ports.now() + this.failures.pause())
  }

  #settle(wanted: NumberedPlacement): RolloutStep<B> | undefined {
    if (this.#readyEpoch !== wanted.epoch && this.#ports.knowsModels(wanted.placement)) {
      this.#readyEpoch = wanted.epoch
      this.#ports.changed()
    }
    const surplus = this.#surplus(wanted).filter(({ model }) => speaksOf(wanted, model))
    return surplus.length > 0 && this.#allReady(wanted) ? this.#drop(surplus) : undefined
  }

  /** Blocks to be dropped that somebody else carries go first; after a while, any. */
  #makeRoom(wanted: NumberedPlacement): RolloutStep<B> | undefined {
    const { self, now, carriers } = this.#ports
    this.#stuckSince ??= now()
    const surplus = this.#surplus(wanted)
    if (now() - this.#stuckSince >= PATIENCE) return this.#drop(surplus)
    // Two that are to drop the same block do not count on each other: the one with the smallest id keeps it meanwhile.
    return this.#drop(
      surplus.filter(block => carriers(block).some(id => isPlaced(wanted.placement, id, block) || id < self))
    )
  }

  /**
   * No new task comes once nobody is told of it; those that are here finish first. On a device that always has
   * tasks they would never end: after a moment those that wait for the block go to others who carry it.
   */
  #drop(candidates: readonly B[]): RolloutStep<B> | undefined {
    const block = candidates.find(candidate => !this.#ports.inUse(candidate))
    if (block === undefined) {
      this.#withdraw(candidates[0])
      return undefined
    }
    this.#busySince = undefined
    this.#offerNoLonger(block) // before it is unloaded: nobody is to count on it from now on
    return { kind: 'drop', block }
  }

  #withdraw(candidate: B | undefined): void {
    if (candidate === undefined) return
    const now = this.#ports.now()
    this.#busySince ??= now
    if (now - this.#busySince >= LINGER) this.#offerNoLonger(candidate)
  }

  #offerNoLonger(block: B): void {
    const { isOffered, offer, changed } = this.#ports
    if (!isOffered(block)) return
    offer(block, false)
    changed()
  }

  /** A newer placement wants what was about to be dropped. */
  #offerAgain(blocks: readonly B[]): void {
    const { isOffered, offer, changed } = this.#ports
    const withdrawn = blocks.filter(block => !isOffered(block))
    for (const block of withdrawn) offer(block, true)
    if (withdrawn.length > 0) changed()
  }

  /** What is placed here: what of it is loaded, and what is not. */
  #assigned({ placement }: NumberedPlacement): { readonly here: readonly B[]; readonly missing: readonly B[] } {
    const held = new Set(this.#ports.held().map(keyOf))
    const isHere = (block: B): boolean => held.has(keyOf(block))
    const assigned = this.#ports.assigned(placement)
    return { here: assigned.filter(isHere), missing: assigned.filter(block => !isHere(block)) }
  }

  #surplus({ placement }: NumberedPlacement): readonly B[] {
    const { self, held } = this.#ports
    return held().filter(block => !isPlaced(placement, self, block))
  }

  /** Of whom nothing is heard yet is not: when it is gone, there will be a newer placement. */
  #allReady({ placement, epoch }: NumberedPlacement): boolean {
    const { self, others } = this.#ports
    const ready = new Map(others().map(({ id, readyEpoch }) => [id, readyEpoch]))
    return [...placement.keys()].every(id => id === self || (ready.get(id) ?? 0) >= epoch)
  }

  #room(): number {
    return this.#ports.memory - this.#ports.weight()
  }
}

/** Whoever planned knew the model. One that has just come may not, and then nobody is to be without it meanwhile. */
export const speaksOf = ({ placement, unplaced }: NumberedPlacement, model: ModelId): boolean =>
  [...placement.values()].some(models => models.has(model)) || unplaced.some(block => block.model === model)

const keyOf = ({ model, block }: { readonly model: ModelId; readonly block: number }): string => `${model} ${block}`
