import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { POLICIES, type PolicyName } from '../../scheduler/policies.ts'
import { wholeModelsOf } from '../../scheduler/whole-models-of.ts'
import { ClusterFeed } from './cluster-feed.ts'
import { DEMO_DEVICES } from './demo-cluster.ts'
import { killLater } from './kill-later.ts'
import type { KillOrder } from './kill-order.ts'
import { readSink, type SinkLine } from './read-sink.ts'
import type { RunView } from './run-view.ts'
import { showDevice } from './show-device.ts'
import { sinkOf, startCluster } from './start-cluster.ts'

/** Ten times what the slowest policy needs on the slowest machine this was tried on. */
const RUN_PATIENCE: Seconds = seconds(300)

/** What one policy did with the images of one round. Seconds, bytes. */
export interface RoundRecord {
  readonly policy: string
  /** By source. */
  readonly lines: ReadonlyMap<string, readonly SinkLine[]>
  /** From the first source's beginning to the last result. */
  readonly makespan: number
  /** Between devices while images were recognised: activations, results and talk. */
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

export interface RunPolicyOptions {
  readonly policy: PolicyName
  readonly folder: string
  readonly modelFile: string
  readonly images: ReadonlyMap<string, string>
  /** Images of this round, by source; only counted. */
  readonly expected: ReadonlyMap<string, number>
  /** Of each block at speed 1. */
  readonly work: readonly Seconds[]
  readonly activationEncoding: EncodingChoice
  readonly kill: KillOrder | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly view: RunView
}

/** Run the images of a round through a fresh cluster under one policy. */
export const runPolicy = async (options: RunPolicyOptions): Promise<RoundRecord> => {
  const { policy, folder, clock, view } = options
  const feed = new ClusterFeed()
  const watch = new Stopwatch(clock)
  const cluster = await startCluster({
    ...options,
    devices: DEMO_DEVICES,
    sourceFlags: ({ name }) => [
      '--source',
      `${name}=dir:${options.images.get(name)},model=ocr,window=8,arrivals=saturated`
    ],
    limitMemory: wholeModelsOf(POLICIES[policy]) !== 'at sources',
    onEvent: (device, event) => {
      feed.take(device, event)
      showDevice(feed, device, view)
    }
  })
  try {
    await cluster.allSources('ready', RUN_PATIENCE)
    watch.start(feed.bytesSent())
    cluster.begin()
    view.begin(
      policy,
      [...options.expected].map(([name, images]) => ({ name, images })),
      DEMO_DEVICES.map(device => device.name)
    )
    const over = new AbortController()
    const killing = killLater(cluster, options, AbortSignal.any([over.signal, options.signal]))
    try {
      await cluster.allSources('done', RUN_PATIENCE)
      watch.stop()
    } finally {
      over.abort()
      await killing
    }
  } finally {
    await cluster.stop() // each device prints its final status on its way out
    view.end()
  }
  return recordOf(options, folder, feed, watch)
}

/** When it began, what had been sent by then, how long it took. */
class Stopwatch {
  readonly #clock: Clock
  #startedAt: Seconds | undefined
  #bytesBefore = 0
  #time = Number.NaN

  constructor(clock: Clock) {
    this.#clock = clock
  }

  start(bytesBefore: number): void {
    this.#startedAt = this.#clock.now()
    this.#bytesBefore = bytesBefore
  }

  stop(): void {
    this.#time = this.#clock.now() - this.#startedAt!
  }

  get time(): number {
    return this.#time
  }

  get bytesBefore(): number {
    return this.#bytesBefore
  }
}

const recordOf = async (
  { policy, expected }: RunPolicyOptions,
  folder: string,
  feed: ClusterFeed,
  watch: Stopwatch
): Promise<RoundRecord> => {
  const lines = new Map<string, readonly SinkLine[]>()
  for (const name of expected.keys()) lines.set(name, await readSink(sinkOf(folder, name)))
  return {
    policy,
    lines,
    makespan: watch.time,
    bytesSent: feed.bytesSent() - watch.bytesBefore,
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
