import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import type { Clock } from '../../core/clock.ts'
import { type BlockHash, type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import { StuckError } from '../engine/engine.ts'
import type { BlockStore } from '../network/blob-store.ts'
import type { ClusterView } from './cluster-view.ts'
import { KeepFailures, type KeptBlock } from './keep-failures.ts'
import type { LocalBlocks } from './local-blocks.ts'

export interface BlockKeeperParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly blocks: LocalBlocks
  readonly blobs: BlockStore
  readonly memory: Bytes
  readonly fetch: (hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal: AbortSignal) => Promise<string>
  /** Whether a task here is queued for the block or runs it. */
  readonly inUse: (model: number, block: number) => boolean
  /** What is carried has changed: tell the others, look at what waits. */
  readonly changed: () => void
  readonly say: (text: string, level?: 'warn') => void
}

/** A device that waits this long for others to take over what it must drop first, drops it: two may wait for each other. */
const PATIENCE: Seconds = seconds(5)
/** A block that is to be dropped waits this long for a moment without tasks. */
const LINGER: Seconds = seconds(0.3)
/** How long a model whose block did not end is set aside at first, and how often before it is for good. */
const FIRST_BAR: Seconds = seconds(60)
const MOST_BARS = 3

/** The name of the job. */
const STEP = 'bringing blocks to what is placed'

export interface Bar {
  readonly because: string
  readonly times: number
  /** Infinity: for as long as this process lives. */
  readonly until: Seconds
}

/** Blocks could not be fetched or loaded: `failures` has why. */
class NotKept extends Error {}

/**
 * Brings the blocks of this device to what the newest placement asks: fetch, verify, load, time, report ready; and drops
 * what is no longer asked for once all devices of the placement are ready, or earlier where memory needs the room and
 * somebody else carries the block. A block that a task here still needs stays until the task has gone on.
 */
export class BlockKeeper {
  /** Weights that were fetched from other devices so far. */
  fetched = 0
  /** Blocks that are to be here and are not to be had. */
  readonly failures = new KeepFailures()
  readonly #parts: BlockKeeperParts
  #wanted: NumberedPlacement | undefined
  #fetching: { readonly hash: BlockHash; readonly stop: AbortController } | undefined
  /** Blocks that nobody could give: the others come first, until all have been tried. */
  readonly #notToBeHad = new Set<BlockHash>()
  /** Models that have left, of which nothing is on the disk any more. */
  readonly #swept = new Set<ModelId>()
  #readyEpoch = 0
  #working = false
  #notBefore: Seconds = seconds(0)
  #stuckSince: Seconds | undefined
  readonly #barred = new Map<ModelId, Bar>()
  /** Since when all that is to be dropped is in use. */
  #busySince: Seconds | undefined

  constructor(parts: BlockKeeperParts) {
    this.#parts = parts
  }

  get readyEpoch(): number {
    return this.#readyEpoch
  }

  /** Models that are not computed here at present. */
  barred(): ReadonlyMap<ModelId, Bar> {
    const { clock, view } = this.#parts
    return new Map([...this.#barred].filter(([id, { until }]) => until > clock.now() && !view.models.isGone(id)))
  }

  /**
   * A block of this model did not end: for a while nothing of the model is computed here, longer each time, and after a
   * few times not before this process is started anew, since each time leaves a thread that nothing ends.
   */
  bar(model: ModelId, because: string): void {
    const { clock, view, blocks, changed, say } = this.#parts
    const before = this.#barred.get(model)
    if (before !== undefined && before.until > clock.now()) return
    const times = (before?.times ?? 0) + 1
    const rest = times >= MOST_BARS ? Number.POSITIVE_INFINITY : FIRST_BAR * 2 ** (times - 1)
    this.#barred.set(model, { because, times, until: seconds(clock.now() + rest) })
    const manifest = view.manifest(model)!
    const until = rest === Number.POSITIVE_INFINITY ? 'until this device is started anew' : `for ${rest} s`
    say(`model ${manifest.name} is set aside here ${until}: ${because}`, 'warn')
    for (const block of [...(blocks.held().get(model)?.keys() ?? [])]) {
      view.offer(model, block, false)
      blocks.unload(manifest, block).catch(error => say(`block ${block} of ${manifest.name}: ${error.message}`, 'warn'))
    }
    changed()
  }

  #isBarred(model: ModelId): boolean {
    return (this.#barred.get(model)?.until ?? 0) > this.#parts.clock.now()
  }

  adopt(placement: NumberedPlacement): void {
    this.#wanted = placement
    this.#stuckSince = undefined
    this.#notBefore = seconds(0)
    this.#giveUpFetching(placement)
    this.tick()
  }

  /** Models have left the cluster: what is being fetched of them is not wanted any more. */
  modelsLeft(): void {
    if (this.#wanted !== undefined) this.#giveUpFetching(this.#wanted)
    this.tick()
  }

  /** What has come of it stays on disk, for another time. */
  #giveUpFetching(wanted: NumberedPlacement): void {
    const hashes = this.#missing(wanted).map(({ manifest, block }) => manifest.blocks[block]!.sha256)
    if (this.#fetching !== undefined && !hashes.includes(this.#fetching.hash))
      this.#fetching.stop.abort(new Error('a newer placement does without the block'))
  }

  /** Called often and on every change; does nothing while a step is under way. */
  tick(): void {
    if (this.#working || this.#wanted === undefined || this.#parts.clock.now() < this.#notBefore) return
    this.#working = true
    const wanted = this.#wanted
    this.#step(wanted).then(
      more => {
        this.#parts.guard.succeeded(STEP)
        this.#done(more)
      },
      error => {
        if (this.#wanted !== wanted) return this.#done(true)
        if (!(error instanceof NotKept)) this.#parts.guard.failed(STEP, error)
        this.#notBefore = seconds(this.#parts.clock.now() + this.failures.pause())
        this.#done(false)
      }
    )
  }

  #done(more: boolean): void {
    this.#working = false
    if (more) this.tick()
  }

  /** One change. @returns whether another may follow at once */
  async #step(wanted: NumberedPlacement): Promise<boolean> {
    if (await this.#dropOne(this.#departed())) return true
    await this.#sweep()
    this.#offerAgain(wanted)
    const missing = this.#missing(wanted).map(of => ({ ...of, ...of.manifest.blocks[of.block]! }))
    this.failures.retain(missing.map(keptBlock))
    const next = missing.find(({ sha256 }) => !this.#notToBeHad.has(sha256)) ?? missing[0]
    if (next === undefined) return this.#settle(wanted)
    // To disk first: others do without what is dropped for it for no longer than loading takes.
    try {
      await this.#onDisk(next.manifest, next.block)
    } catch (error) {
      return this.#notKept(next, missing, error, 'notGiven', wanted)
    }
    if (this.#wanted !== wanted) return true
    if (this.#room() < next.bytes) return this.#makeRoom(wanted)
    try {
      await this.#take(next.manifest, next.block)
    } catch (error) {
      return this.#notKept(next, missing, error, 'notLoaded', wanted)
    }
    this.failures.succeeded(keptBlock(next))
    return true
  }

  /** The others come first. @returns that another may be tried @throws NotKept when all have been */
  #notKept(
    of: { readonly manifest: ModelManifest; readonly block: number; readonly sha256: BlockHash },
    missing: readonly { readonly sha256: BlockHash }[],
    error: unknown,
    kind: 'notGiven' | 'notLoaded',
    wanted: NumberedPlacement
  ): boolean {
    if (this.#wanted !== wanted || error instanceof StuckError) return true
    const { clock, say, changed } = this.#parts
    const wasFull = this.failures.isFull(clock.now())
    const words = this.failures.failed(keptBlock(of), error, kind, clock.now())
    if (words !== undefined) say(words, 'warn')
    // What is a trouble by now is said by whoever says troubles; that there is no room here, the planner hears.
    if (kind === 'notLoaded' || words !== undefined || wasFull !== this.failures.isFull(clock.now())) changed()
    this.#notToBeHad.add(of.sha256)
    if (!missing.every(({ sha256 }) => this.#notToBeHad.has(sha256))) return true
    this.#notToBeHad.clear()
    throw new NotKept()
  }

  /** Loaded blocks of models that have left the cluster. */
  #departed(): { manifest: ModelManifest; block: number }[] {
    const { view, blocks } = this.#parts
    return view.models
      .departed()
      .flatMap(manifest => [...(blocks.held().get(manifest.id)?.keys() ?? [])].map(block => ({ manifest, block })))
  }

  /** What models that have left had on the disk, once none of it is loaded, but for what other models share. */
  async #sweep(): Promise<void> {
    const { view, blocks, blobs } = this.#parts
    for (const id of this.#swept) if (!view.models.isGone(id)) this.#swept.delete(id)
    const left = view.models.departed().filter(({ id }) => !this.#swept.has(id) && !blocks.held().has(id))
    if (left.length === 0) return
    const wanted = new Set(view.manifests().flatMap(manifest => manifest.blocks.map(({ sha256 }) => sha256)))
    for (const manifest of left) {
      this.#swept.add(manifest.id)
      for (const { sha256 } of manifest.blocks) if (!wanted.has(sha256)) await blobs.remove(sha256)
    }
  }

  #settle(wanted: NumberedPlacement): Promise<boolean> {
    if (this.#readyEpoch !== wanted.epoch && this.#knowsAllModels(wanted)) {
      this.#readyEpoch = wanted.epoch
      this.#parts.changed()
    }
    return this.#allReady(wanted) ? this.#dropOne(this.#surplus(wanted)) : Promise.resolve(false)
  }

  /** @returns the file, fetched and verified */
  async #onDisk({ id, blocks }: ModelManifest, block: number): Promise<string> {
    const { sha256, bytes, fileBytes: size = bytes } = blocks[block]!
    const stop = new AbortController()
    this.#fetching = { hash: sha256, stop }
    try {
      const known = await this.#parts.blobs.find(sha256)
      if (known !== undefined) return known
      const file = await this.#parts.fetch(sha256, size, this.#holders(id, block), stop.signal)
      this.fetched += size
      return file
    } finally {
      this.#fetching = undefined
    }
  }

  async #take(manifest: ModelManifest, block: number): Promise<void> {
    const { view, blocks, changed, say } = this.#parts
    const file = await this.#onDisk(manifest, block)
    const { time } = await blocks.load(manifest, block, file).catch(error => {
      if (error instanceof StuckError) this.bar(manifest.id, error.message)
      throw error
    })
    if (this.#isBarred(manifest.id) || view.models.isGone(manifest.id)) return
    const m = view.world.modelIndex(manifest.id)!
    view.world.setBlockTime(view.selfIndex, m, block, time)
    view.offer(manifest.id, block, true)
    this.#stuckSince = undefined
    say(`carries block ${block} of ${manifest.name}`)
    changed()
  }

  /** Blocks to be dropped that somebody else carries go first; after a while, any. */
  #makeRoom(wanted: NumberedPlacement): Promise<boolean> {
    const { clock, view } = this.#parts
    this.#stuckSince ??= clock.now()
    const surplus = this.#surplus(wanted)
    const patient = clock.now() - this.#stuckSince < PATIENCE
    // Two that are to drop the same block do not count on each other: the one with the smallest id keeps it meanwhile.
    const carriedElsewhere = ({ manifest, block }: { manifest: ModelManifest; block: number }): boolean => {
      const m = view.world.modelIndex(manifest.id)!
      const stays = (id: DeviceId): boolean => wanted.placement.get(id)?.get(manifest.id)?.includes(block) === true
      return view.world.devices.some(
        ({ id }, n) => n !== view.selfIndex && view.world.carries(n, m, block) && (stays(id) || id < view.self)
      )
    }
    return this.#dropOne(patient ? surplus.filter(carriedElsewhere) : surplus)
  }

  /**
   * No new task comes once the world says it is not carried; those that are here finish first. On a device that always has
   * tasks they would never end: after a moment those that wait for the block go to others who carry it.
   */
  async #dropOne(
    candidates: readonly { readonly manifest: ModelManifest; readonly block: number }[]
  ): Promise<boolean> {
    const { view, blocks, inUse, changed, say } = this.#parts
    const idle = candidates.find(({ manifest, block }) => !inUse(view.world.modelIndex(manifest.id)!, block))
    if (idle === undefined) {
      this.#withdraw(candidates[0])
      return false
    }
    this.#busySince = undefined
    this.#offerNoLonger(idle) // before it is unloaded: nobody is to count on it from now on
    await blocks.unload(idle.manifest, idle.block)
    say(`carries block ${idle.block} of ${idle.manifest.name} no longer`)
    changed()
    return true
  }

  #withdraw(candidate: { readonly manifest: ModelManifest; readonly block: number } | undefined): void {
    if (candidate === undefined) return
    const { clock } = this.#parts
    this.#busySince ??= clock.now()
    if (clock.now() - this.#busySince >= LINGER) this.#offerNoLonger(candidate)
  }

  #offerNoLonger({ manifest, block }: { readonly manifest: ModelManifest; readonly block: number }): void {
    const { view, changed } = this.#parts
    if (!view.isOffered(manifest.id, block)) return
    view.offer(manifest.id, block, false)
    changed()
  }

  /** A newer placement wants what was about to be dropped. */
  #offerAgain(wanted: NumberedPlacement): void {
    const { view, blocks, changed } = this.#parts
    const withdrawn = this.#assigned(wanted).filter(
      ({ manifest, block }) => blocks.has(manifest.id, block) && !view.isOffered(manifest.id, block)
    )
    for (const { manifest, block } of withdrawn) view.offer(manifest.id, block, true)
    if (withdrawn.length > 0) changed()
  }

  #missing(wanted: NumberedPlacement): { manifest: ModelManifest; block: number }[] {
    return this.#assigned(wanted).filter(({ manifest, block }) => !this.#parts.blocks.has(manifest.id, block))
  }

  #assigned({ placement }: NumberedPlacement): { manifest: ModelManifest; block: number }[] {
    const { view } = this.#parts
    return [...(placement.get(view.self)?.entries() ?? [])].flatMap(([model, blocks]) => {
      const manifest = view.manifest(model)
      return manifest === undefined || this.#isBarred(model) || view.models.isGone(model)
        ? []
        : blocks.filter(k => k < manifest.blocks.length).map(block => ({ manifest, block }))
    })
  }

  #surplus(wanted: NumberedPlacement): { manifest: ModelManifest; block: number }[] {
    const { view, blocks } = this.#parts
    const mine = wanted.placement.get(view.self)
    return [...blocks.held().entries()].flatMap(([model, held]) => {
      const manifest = view.manifest(model)
      if (manifest === undefined) return []
      const unwanted = [...held.keys()].filter((k: number) => mine?.get(model)?.includes(k) !== true)
      return unwanted.map(block => ({ manifest, block }))
    })
  }

  #knowsAllModels({ placement }: NumberedPlacement): boolean {
    const { view } = this.#parts
    return [...(placement.get(view.self)?.keys() ?? [])].every(
      model => view.manifest(model) !== undefined || view.models.isGone(model)
    )
  }

  #allReady(wanted: NumberedPlacement): boolean {
    const { view } = this.#parts
    return view
      .staying()
      .filter(state => wanted.placement.has(deviceId(state.device)) && state.device !== view.self)
      .every(state => Number(state.readyEpoch) >= wanted.epoch)
  }

  #room(): number {
    return this.#parts.memory - this.#parts.blocks.weight()
  }

  /** Who to ask for a block: its model's owners and those who carry it, over the fastest link first; then whoever speaks of it. */
  #holders(model: ModelId, block: number): readonly DeviceId[] {
    const { view } = this.#parts
    const others = view.members().filter(state => state.device !== view.self)
    const rateFrom = (device: string): number => {
      const from = view.world.deviceIndex(deviceId(device))
      return from === undefined ? 0 : (view.world.link(from, view.selfIndex)?.rate ?? 0)
    }
    const speaks = (has: boolean) =>
      others
        .filter(({ models }) => {
          const said = models.find(m => m.model === model)
          return said !== undefined && (said.owner || said.blocks.some(b => b.block === block)) === has
        })
        .map(({ device }) => deviceId(device))
        .sort((a, b) => rateFrom(b) - rateFrom(a))
    return [...speaks(true), ...speaks(false)]
  }
}

const keptBlock = ({ manifest, block }: { readonly manifest: ModelManifest; readonly block: number }): KeptBlock => ({
  model: manifest.id,
  name: manifest.name,
  block
})
