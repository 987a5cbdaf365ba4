import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { ownerRoomFault } from '../../cluster/owner-room.ts'
import { Rollout, type RolloutBlock, type RolloutStep } from '../../cluster/rollout.ts'
import { whomToAsk } from '../../cluster/whom-to-ask.ts'
import type { BatchCurve } from '../../core/batch-curve.ts'
import type { Clock } from '../../core/clock.ts'
import { type BlockHash, type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { memoryOfLane } from '../../core/memory-of-lane.ts'
import { type Bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Placement } from '../../planner/placement.ts'
import type { BlockStore } from '../ports/block-store.ts'
import { StuckError } from '../ports/engine.ts'
import type { ClusterView } from './cluster-view.ts'
import type { LocalBlocks } from './local-blocks.ts'

export interface BlockKeeperParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly blocks: LocalBlocks
  readonly blobs: BlockStore
  /** For blocks, in all lanes together. */
  readonly memory: Bytes
  readonly fetch: (hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal: AbortSignal) => Promise<string>
  /** Whether a task here is queued for the block or runs it. */
  readonly inUse: (model: number, block: number) => boolean
  /** What is carried has changed: tell the others, look at what waits. */
  readonly changed: () => void
  /** Another line about models of that device: it may have many blocks. @default any number */
  readonly mayHaveLine?: (owner: DeviceId) => boolean
  readonly say: (text: string, level?: 'info' | 'warn', facts?: { readonly kind: 'blocks' | 'setAside' }) => void
}

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

interface OwnBlock extends RolloutBlock {
  readonly manifest: ModelManifest
  readonly digest: BlockHash
}

/**
 * Brings the blocks of this device to what the newest placement asks, a step after the other, as the rollout says: fetches and
 * verifies them, loads and times them, unloads them. Removes from the disk what models that have left had there.
 */
export class BlockKeeper {
  /** Weights that were fetched from other devices so far. */
  fetched = 0
  readonly #parts: BlockKeeperParts
  readonly #rollout: Rollout<OwnBlock>
  #fetching: { readonly hash: BlockHash; readonly stop: AbortController } | undefined
  /** Models that have left, of which nothing is on the disk any more. */
  readonly #swept = new Set<ModelId>()
  #working = false
  readonly #barred = new Map<ModelId, Bar>()

  constructor(parts: BlockKeeperParts) {
    this.#parts = parts
    this.#rollout = this.#createRollout()
  }

  /** Blocks that are to be here and are not to be had. */
  get failures(): Rollout<OwnBlock>['failures'] {
    return this.#rollout.failures
  }

  get readyEpoch(): number {
    return this.#rollout.readyEpoch
  }

  #createRollout(): Rollout<OwnBlock> {
    const { clock, view, blocks, memory, inUse, changed, say, mayHaveLine: mayHave = () => true } = this.#parts
    const { world } = view
    return new Rollout<OwnBlock>({
      self: view.self,
      now: () => clock.now(),
      get memory() {
        return memoryOfLane(memory, blocks.lanes)
      },
      assigned: placement => this.#assigned(placement),
      knowsModels: placement =>
        [...(placement.get(view.self)?.keys() ?? [])].every(
          id => view.manifest(id) !== undefined || view.models.isGone(id)
        ),
      held: () => this.#held(),
      departed: () => this.#held().filter(({ model }) => view.models.isGone(model)),
      weight: () => blocks.weight(),
      inUse: ({ model, block }) => inUse(world.modelIndex(model)!, block),
      isOffered: ({ model, block }) => view.isOffered(model, block),
      offer: ({ model, block }, offered) => view.offer(model, block, offered),
      carriers: ({ model, block }) => {
        const m = world.modelIndex(model)!
        return world.devices.flatMap(({ id }, n) => (n !== view.selfIndex && world.carries(n, m, block) ? [id] : []))
      },
      others: () =>
        view
          .planned()
          .filter(({ device }) => device !== view.self)
          .map(({ device, readyEpoch }) => ({ id: deviceId(device), readyEpoch: Number(readyEpoch) })),
      changed,
      say: (text, { manifest: { seal } }) => {
        if (seal === undefined || seal.owner === view.self || mayHave(seal.owner)) say(text, 'warn')
      }
    })
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
    say(`model ${manifest.name} is set aside here ${until}: ${because}`, 'warn', { kind: 'setAside' })
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
    this.#rollout.adopt(placement)
    this.#giveUpFetching()
    this.tick()
  }

  /** Models have left the cluster: what is being fetched of them is not wanted any more. */
  modelsLeft(): void {
    this.#giveUpFetching()
    this.tick()
  }

  /** What has come of it stays on disk, for another time. */
  #giveUpFetching(): void {
    const fetching = this.#fetching
    if (fetching !== undefined && this.#rollout.missing().every(({ digest }) => digest !== fetching.hash))
      fetching.stop.abort(new Error('a newer placement does without the block'))
  }

  /** Nothing of a model that has left is here any more. */
  hasSwept(model: ModelId): boolean {
    return this.#swept.has(model)
  }

  /** Called often and on every change; does nothing while a step is under way. */
  tick(): void {
    if (this.#working || !this.#rollout.isDue) return
    this.#working = true
    const { wanted } = this.#rollout
    this.#step().then(
      more => {
        this.#parts.guard.succeeded(STEP)
        this.#done(more)
      },
      error => {
        if (this.#rollout.wanted !== wanted) return this.#done(true)
        this.#parts.guard.failed(STEP, error)
        this.#rollout.rest()
        this.#done(false)
      }
    )
  }

  #done(more: boolean): void {
    this.#working = false
    if (more) this.tick()
  }

  /** @returns whether another may follow at once */
  async #step(): Promise<boolean> {
    await this.#sweep()
    const step = this.#rollout.next()
    if (step !== undefined) await this.#take(step)
    return step !== undefined
  }

  async #take({ kind, block }: RolloutStep<OwnBlock>): Promise<void> {
    if (kind === 'drop') return this.#unload(block)
    try {
      if (kind === 'load') return await this.#load(block)
      await this.#onDisk(block)
    } catch (error) {
      if (error instanceof StuckError) return // set aside: it is not asked for again
      return this.#rollout.failed(block, error, kind === 'load' ? 'notLoaded' : 'notGiven')
    }
    this.#rollout.fetched(block)
  }

  async #unload({ manifest, block }: OwnBlock): Promise<void> {
    const { blocks, changed, say } = this.#parts
    await blocks.unload(manifest, block)
    say(`carries block ${block} of ${manifest.name} no longer`, 'info', { kind: 'blocks' })
    changed()
  }

  async #load(own: OwnBlock): Promise<void> {
    const { manifest, block } = own
    const { view, blocks, say } = this.#parts
    const file = await this.#onDisk(own)
    const { time, curve } = await blocks.load(manifest, block, file).catch(error => {
      if (error instanceof StuckError) this.bar(manifest.id, error.message)
      throw error
    })
    if (this.#isBarred(manifest.id) || view.models.isGone(manifest.id)) return
    const model = view.world.modelIndex(manifest.id)!
    view.world.setBlockTime(view.selfIndex, model, block, time)
    view.world.setBatchCurve(view.selfIndex, model, block, curve)
    say(`carries block ${block} of ${manifest.name}${gainOf(curve)}`, 'info', { kind: 'blocks' })
    this.#rollout.loaded(own)
  }

  /** @returns the file, fetched and verified */
  async #onDisk({ manifest, block, digest }: OwnBlock): Promise<string> {
    const { bytes, fileBytes: size = bytes } = manifest.blocks[block]!
    const stop = new AbortController()
    this.#fetching = { hash: digest, stop }
    try {
      const known = await this.#parts.blobs.find(digest)
      if (known !== undefined) return known
      await this.#requireOwnersRoom(manifest, digest, size)
      const file = await this.#parts.fetch(digest, size, this.#holders(manifest.id, block), stop.signal)
      this.fetched += size
      return file
    } finally {
      this.#fetching = undefined
    }
  }

  /** One device's models leave room for those of others. @throws Error with the reason */
  async #requireOwnersRoom({ seal }: ModelManifest, digest: BlockHash, size: Bytes): Promise<void> {
    const { view, blobs } = this.#parts
    if (seal === undefined || seal.owner === view.self) return
    const usage = await blobs.usage?.()
    const all = [...view.manifests(), ...view.models.departed()].filter(one => one.seal?.owner === seal.owner)
    const owned = all.flatMap(({ blocks }) => blocks.map(({ sha256 }) => sha256))
    const fault = usage && ownerRoomFault(digest, size, owned, usage)
    if (fault !== undefined) throw new Error(fault)
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

  #assigned(placement: Placement): OwnBlock[] {
    const { view } = this.#parts
    return [...(placement.get(view.self)?.entries() ?? [])].flatMap(([model, blocks]) => {
      const manifest = view.manifest(model)
      return manifest === undefined || this.#isBarred(model) || view.models.isGone(model)
        ? []
        : blocks.filter(k => k < manifest.blocks.length).map(block => ownBlock(manifest, block))
    })
  }

  #held(): OwnBlock[] {
    const { view, blocks } = this.#parts
    return [...blocks.held()].flatMap(([model, held]) => {
      const manifest = view.manifest(model)
      return manifest === undefined ? [] : [...held.keys()].map(block => ownBlock(manifest, block))
    })
  }

  #holders(model: ModelId, block: number): readonly DeviceId[] {
    const { view } = this.#parts
    const { world } = view
    const holders = view.members().flatMap(({ device, models }) => {
      const said = models.find(m => m.model === model)
      if (said === undefined || device === view.self) return []
      const id = deviceId(device)
      const from = world.deviceIndex(id)
      const rate = from === undefined ? 0 : (world.link(from, view.selfIndex)?.rate ?? 0)
      return [{ id, rate, has: said.owner || said.blocks.some(b => b.block === block) }]
    })
    return whomToAsk(holders).map(({ id }) => id)
  }
}

/** The blocks of each manifest, made once: they are asked for at every tick. */
const ownBlocks = new WeakMap<ModelManifest, readonly OwnBlock[]>()

const ownBlock = (manifest: ModelManifest, block: number): OwnBlock => {
  const known = ownBlocks.get(manifest) ?? allOf(manifest)
  ownBlocks.set(manifest, known)
  return known[block]!
}

const allOf = (manifest: ModelManifest): readonly OwnBlock[] =>
  manifest.blocks.map(({ sha256: digest, bytes }, block) => {
    const { id: model, name } = manifest
    return { manifest, model, name, block, digest, bytes }
  })

/** In words, where several data are run at once. */
const gainOf = (curve: BatchCurve | undefined): string =>
  curve === undefined
    ? ''
    : `, ${curve.best} data at once in ${Math.round(100 * curve.share(curve.best))} % of their time`
