import type { Seconds } from '../core/units.ts'

/** How often something was done, and how long that took in all. */
export interface Duration {
  count: number
  ns: number
}

/** Of one batch size: how often such was computed. */
export interface BatchStatistics {
  readonly computeInput: Duration
  readonly computeInfer: Duration
  readonly computeOutput: Duration
}

export interface Statistics {
  /** Milliseconds since 1970. */
  lastInference: number
  /** Data that were computed. */
  inferences: number
  /** Runs of the model: a batch that was split counts as often as it has parts. */
  executions: number
  readonly success: Duration
  readonly fail: Duration
  readonly queue: Duration
  readonly computeInput: Duration
  readonly computeInfer: Duration
  readonly computeOutput: Duration
  readonly batches: Map<number, BatchStatistics>
}

/** A request that was answered. Seconds. */
export interface Answered {
  readonly batch: number
  readonly runs: number
  readonly took: Seconds
  /** Blocks ran. */
  readonly served: Seconds
  /** Understanding what came, and putting the answer together. */
  readonly input: Seconds
  readonly output: Seconds
}

/** Batch sizes that are told apart. */
const MOST_BATCHES = 64

const duration = (): Duration => ({ count: 0, ns: 0 })

const add = (to: Duration, took: number, times = 1): void => {
  to.count += times
  to.ns += Math.round(Math.max(0, took) * 1e9)
}

/** What has become of requests, by model. */
export class ModelStatistics {
  readonly #models = new Map<string, Statistics>()
  readonly #wallTime: () => Seconds

  constructor(wallTime: () => Seconds) {
    this.#wallTime = wallTime
  }

  of(model: string): Statistics {
    const known = this.#models.get(model)
    if (known !== undefined) return known
    const fresh: Statistics = {
      ...{ lastInference: 0, inferences: 0, executions: 0, batches: new Map() },
      ...{ success: duration(), fail: duration(), queue: duration() },
      ...{ computeInput: duration(), computeInfer: duration(), computeOutput: duration() }
    }
    this.#models.set(model, fresh)
    return fresh
  }

  answered(model: string, { batch, runs, took, served, input, output }: Answered): void {
    const all = this.of(model)
    all.lastInference = Math.round(this.#wallTime() * 1000)
    all.inferences += batch
    all.executions += runs
    add(all.success, took + input + output)
    add(all.queue, took - served / runs)
    add(all.computeInput, input)
    add(all.computeInfer, served)
    add(all.computeOutput, output)
    const each = this.#batch(all, batch)
    if (each === undefined) return
    add(each.computeInput, input)
    add(each.computeInfer, served)
    add(each.computeOutput, output)
  }

  failed(model: string, took: number): void {
    add(this.of(model).fail, took)
  }

  #batch({ batches }: Statistics, size: number): BatchStatistics | undefined {
    if (!batches.has(size) && batches.size < MOST_BATCHES)
      batches.set(size, { computeInput: duration(), computeInfer: duration(), computeOutput: duration() })
    return batches.get(size)
  }
}
