import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { POLICIES, type PolicyName } from '../../scheduler/policies.ts'
import { wholeModelsOf } from '../../scheduler/whole-models-of.ts'
import { ClusterFeed } from './cluster-feed.ts'
import { DEMO_DEVICES } from './demo-cluster.ts'
import type { SourceImages } from './demo-images.ts'
import { killLater } from './kill-later.ts'
import type { KillOrder } from './kill-order.ts'
import { readSink, type SinkLine } from './read-sink.ts'
import type { Round } from './rounds-of.ts'
import type { RunView } from './run-view.ts'
import { type Before, showDevice } from './show-device.ts'
import { type Cluster, sinkOf, startCluster } from './start-cluster.ts'
import { untilSettled } from './until-settled.ts'

/** Ten times what the slowest policy needs on the slowest machine this was tried on. */
const RUN_PATIENCE: Seconds = seconds(300)

/** What one policy did with the images of all rounds. Seconds, bytes. */
export interface PolicyRecord {
  readonly policy: string
  /** By source: its results, in the order in which they were written. */
  readonly lines: ReadonlyMap<string, readonly SinkLine[]>
  readonly rounds: readonly RoundRecord[]
  /** One for each time its devices were started. */
  readonly lives: readonly LifeRecord[]
}

export interface RoundRecord {
  /** Images that can be read. */
  readonly images: number
  /** From the first source's beginning to the last result. */
  readonly makespan: number
}

/** From a cluster's start to its end. */
export interface LifeRecord {
  /** Between devices since they were ready: activations, results and talk. */
  readonly bytesSent: number
  readonly devices: readonly {
    readonly name: string
    readonly blocks: readonly number[]
    readonly residentBytes: number
    readonly busySeconds: number
    readonly lateSeconds: number
  }[]
  /** How activations travelled at the end. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly encoding: string }[]
}

export interface PolicyClustersOptions {
  readonly policy: PolicyName
  readonly folder: string
  readonly modelFile: string
  readonly images: readonly SourceImages[]
  /** What can be read as images, by item, by source. */
  readonly expected: ReadonlyMap<string, ReadonlyMap<string, unknown>>
  /** Of each block at speed 1. */
  readonly work: readonly Seconds[]
  readonly activationEncoding: EncodingChoice
  readonly kill: KillOrder | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly view: RunView
}

/** The cluster of one policy: the same devices read the images of all rounds, or fresh ones go on where others stopped. */
export class PolicyClusters {
  readonly #options: PolicyClustersOptions
  readonly #rounds: RoundRecord[] = []
  readonly #lives: LifeRecord[] = []
  #life: Life | undefined

  constructor(options: PolicyClustersOptions) {
    this.#options = options
  }

  get policy(): PolicyName {
    return this.#options.policy
  }

  /** Resolves when its sources are ready, at once where they are. */
  async start(): Promise<void> {
    this.#life ??= await Life.start(this.#options)
  }

  /** Read the images of a round; the cluster has started. */
  async read(round: Round): Promise<void> {
    this.#rounds.push(await this.#life!.read(round))
  }

  async stop(): Promise<void> {
    const life = this.#life
    this.#life = undefined
    if (life !== undefined) this.#lives.push(await life.stop())
  }

  /** When it has stopped. */
  async record(): Promise<PolicyRecord> {
    const { policy, folder, images } = this.#options
    const lines = new Map<string, readonly SinkLine[]>()
    for (const { source } of images) lines.set(source, await readSink(sinkOf(folder, source)))
    return { policy, lines, rounds: this.#rounds, lives: this.#lives }
  }
}

/** One cluster from its start to its end. */
class Life {
  readonly #options: PolicyClustersOptions
  readonly #feed = new ClusterFeed()
  #cluster!: Cluster
  /** Before the round that is shown; undefined between rounds. */
  #before: Before | undefined
  #bytesBefore = 0
  #hasBegun = false

  private constructor(options: PolicyClustersOptions) {
    this.#options = options
  }

  static async start(options: PolicyClustersOptions): Promise<Life> {
    const life = new Life(options)
    await life.#start()
    return life
  }

  async #start(): Promise<void> {
    const { policy, images, view } = this.#options
    const folders = new Map(images.map(({ source, folder }) => [source, folder]))
    this.#cluster = await startCluster({
      ...this.#options,
      devices: DEMO_DEVICES,
      sourceFlags: ({ name }) => ['--source', `${name}=dir:${folders.get(name)},model=ocr,window=8,arrivals=saturated`],
      limitMemory: wholeModelsOf(POLICIES[policy]) !== 'at sources',
      onEvent: (device, event) => {
        this.#feed.take(device, event)
        if (this.#before !== undefined) showDevice(this.#feed, device, view, this.#before)
      }
    })
    try {
      await this.#cluster.allSources('ready', RUN_PATIENCE)
    } catch (error) {
      await this.#cluster.stop()
      throw error
    }
    this.#bytesBefore = this.#feed.bytesSent()
  }

  async read(round: Round): Promise<RoundRecord> {
    const { policy, expected, clock, signal, view } = this.#options
    const readable = [...round].map(([source, { items }]) => ({
      source,
      items: items.filter(item => expected.get(source)?.has(item) === true)
    }))
    view.begin(
      policy,
      readable.map(({ source, items }) => ({ name: source, images: items.length })),
      DEMO_DEVICES.map(device => device.name)
    )
    const over = new AbortController()
    const startedAt = clock.now()
    this.#before = {
      completed: new Map(this.#feed.sources().map(({ name, completed }) => [name, completed])),
      busySeconds: new Map(DEMO_DEVICES.map(({ name }) => [name, this.#feed.device(name)?.busySeconds ?? 0])),
      ago: () => seconds(clock.now() - startedAt)
    }
    this.#admit(round)
    const killing = killLater(this.#cluster, this.#options, AbortSignal.any([over.signal, signal]))
    try {
      await this.#cluster.during(this.#settled(readable, AbortSignal.any([over.signal, signal])), RUN_PATIENCE)
      return {
        images: readable.reduce((sum, { items }) => sum + items.length, 0),
        makespan: clock.now() - startedAt
      }
    } finally {
      over.abort()
      await killing
      view.end()
      this.#before = undefined
    }
  }

  #admit(round: Round): void {
    this.#cluster.admit(new Map([...round].map(([source, { upTo }]) => [source, upTo])))
    if (!this.#hasBegun) this.#cluster.begin()
    this.#hasBegun = true
  }

  async #settled(
    readable: readonly { readonly source: string; readonly items: readonly string[] }[],
    signal: AbortSignal
  ): Promise<void> {
    const { folder, clock } = this.#options
    await Promise.all(
      readable.map(({ source, items }) => untilSettled(sinkOf(folder, source), items, { clock, signal }))
    )
  }

  /** Each device prints its final status on its way out. */
  async stop(): Promise<LifeRecord> {
    await this.#cluster.stop()
    const feed = this.#feed
    return {
      bytesSent: feed.bytesSent() - this.#bytesBefore,
      devices: DEMO_DEVICES.map(({ name }) => {
        const part = feed.device(name)
        const { blocks = [], residentBytes = 0 } = part?.models['ocr'] ?? {}
        const { busySeconds = 0, lateSeconds = 0 } = part ?? {}
        return { name, blocks, residentBytes, busySeconds, lateSeconds }
      }),
      links: DEMO_DEVICES.flatMap(({ name: from }) =>
        (feed.device(from)?.links ?? []).map(({ to, encoding }) => ({ from, to, encoding }))
      )
    }
  }
}
