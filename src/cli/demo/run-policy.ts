import { join } from 'node:path'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import type { Clock } from '../../core/clock.ts'
import { type TimeSummary, timeSummary } from '../../core/time-summary.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { blockRanges } from '../../report/block-ranges.ts'
import { ClusterFeed } from './cluster-feed.ts'
import { DEMO_DEVICES } from './demo-cluster.ts'
import type { KillOrder } from './kill-order.ts'
import { readSink } from './read-sink.ts'
import type { RunView } from './run-view.ts'
import { type SourceScore, scoreSource } from './score-source.ts'
import { type Cluster, sinkOf, startCluster } from './start-cluster.ts'

/** Ten times what the slowest policy needs on the slowest machine this was tried on. */
const RUN_PATIENCE: Seconds = seconds(300)

/** One policy's run, as `demo --json` prints it. Seconds, bytes, results per second. */
export interface PolicyRun {
  readonly policy: string
  readonly sources: readonly SourceScore[]
  readonly throughput: number
  /** From the first source's beginning to the last result. */
  readonly makespan: number
  /** Between devices while images were recognised: activations, results and talk. */
  readonly bytesSent: number
  readonly devices: readonly {
    readonly name: string
    readonly blocks: readonly number[]
    readonly residentBytes: number
    /** Share of the makespan in which the device computed, 0 to 1. */
    readonly busy: number
  }[]
  readonly encoding: EncodingCost
}

/** What activations that travel in fewer bytes changed, against plain ONNX Runtime. */
export interface EncodingCost {
  readonly choice: EncodingChoice
  /** How activations travel on each link at the end. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly encoding: string }[]
  /** Texts that were read differently. */
  readonly differently: number
  /** Of the texts' confidence, 0 to 1; null where nothing came back. */
  readonly maxDifference: number | null
  readonly meanDifference: number | null
}

export interface PolicyOutcome {
  readonly run: PolicyRun
  /** Over all images of all sources. */
  readonly inferenceTime: TimeSummary
  /** Recognised text by "source/item". */
  readonly texts: ReadonlyMap<string, string>
}

export interface RunPolicyOptions {
  readonly policy: string
  readonly folder: string
  readonly modelFile: string
  readonly images: ReadonlyMap<string, string>
  /** What plain ONNX Runtime reads, by item, by source. */
  readonly expected: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** How sure plain ONNX Runtime is of it. */
  readonly confidences: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly activationEncoding: EncodingChoice
  readonly kill: KillOrder | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly view: RunView
}

/** Run all images of all sources through a fresh cluster under one policy. */
export const runPolicy = async (options: RunPolicyOptions): Promise<PolicyOutcome> => {
  const { policy, folder, clock, view } = options
  const feed = new ClusterFeed()
  const watch = new Stopwatch(clock)
  const cluster = await startCluster({
    ...options,
    limitMemory: policy !== 'local',
    onEvent: (device, event) => {
      feed.take(device, event)
      if (event.event === 'ready' && options.expected.has(device)) watch.start(feed.bytesSent())
      show(feed, device, view)
    }
  })
  try {
    await cluster.allSources('ready', RUN_PATIENCE)
    view.begin(
      policy,
      [...options.expected].map(([name, items]) => ({ name, images: items.size })),
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
  return judge(options, folder, feed, watch)
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

  /** The first call counts. */
  start(bytesBefore: number): void {
    if (this.#startedAt !== undefined) return
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

const show = (feed: ClusterFeed, device: string, view: RunView): void => {
  const part = feed.device(device)
  if (part === undefined) return
  const blocks = blockRanges(part.models['ocr']?.blocks ?? [])
  view.device(device, { busy: part.busy, queue: part.queue.lane + part.queue.links, blocks })
  for (const source of feed.sources())
    if (source.device === device) view.source(source.name, source.completed, source.rate)
}

const killLater = async (
  cluster: Cluster,
  { kill, clock, view }: RunPolicyOptions,
  signal: AbortSignal
): Promise<void> => {
  if (kill === undefined) return
  try {
    await clock.sleep(kill.after, { signal })
  } catch {
    if (!signal.aborted) throw new Error('the clock failed')
    view.say(`  ${kill.device} was to be killed after ${kill.after} s, but the run was over before`)
    return
  }
  cluster.devices.get(kill.device)!.kill()
  view.say(`  killed ${kill.device} (kill -9) after ${kill.after} s`)
}

const judge = async (
  { policy, expected, confidences, activationEncoding: choice }: RunPolicyOptions,
  folder: string,
  feed: ClusterFeed,
  watch: Stopwatch
): Promise<PolicyOutcome> => {
  const sinks = await Promise.all(
    [...expected].map(async ([name, items]) => ({ name, items, lines: await readSink(sinkOf(folder, name)) }))
  )
  const sources = sinks.map(({ name, items, lines }) => scoreSource(name, items, lines))
  const results = sources.reduce((sum, { correct, wrong }) => sum + correct + wrong, 0)
  const differences = sinks.flatMap(({ name, lines }) =>
    lines.flatMap(({ item, result }) => {
      const plain = confidences.get(name)?.get(item)
      return plain === undefined ? [] : [Math.abs(result.confidence - plain)]
    })
  )
  const links = DEMO_DEVICES.flatMap(({ name: from }) =>
    (feed.device(from)?.links ?? []).map(({ to, encoding }) => ({ from, to, encoding }))
  )
  const devices = DEMO_DEVICES.map(({ name }) => {
    const part = feed.device(name)
    const { blocks = [], residentBytes = 0 } = part?.models['ocr'] ?? {}
    return { name, blocks, residentBytes, busy: Math.min(1, (part?.busySeconds ?? 0) / watch.time) }
  })
  return {
    run: {
      policy,
      sources,
      throughput: results / watch.time,
      makespan: watch.time,
      bytesSent: feed.bytesSent() - watch.bytesBefore,
      devices,
      encoding: {
        choice,
        links,
        differently: sources.reduce((sum, { wrong }) => sum + wrong, 0),
        maxDifference: differences.length === 0 ? null : Math.max(...differences),
        meanDifference: differences.length === 0 ? null : differences.reduce((a, b) => a + b, 0) / differences.length
      }
    },
    inferenceTime: timeSummary(sinks.flatMap(({ lines }) => lines.map(line => line.inferenceTime))),
    texts: new Map(sinks.flatMap(({ name, lines }) => lines.map(line => [join(name, line.item), line.result.text])))
  }
}
