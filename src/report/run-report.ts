import type { TimeSummary } from '../core/time-summary.ts'
import type { MeanInterval } from './mean-interval.ts'

/** What `simulate --json` and `emulate --json` print (DESIGN section 9). Seconds, bytes, results per second. */
export interface RunReport {
  /** All sources are saturated and nothing changes in mid-run: how near a run is to the bound then says how good it is. */
  readonly saturated: boolean
  readonly scenario: string
  readonly runs: readonly PolicyRun[]
  /** The capacity bound without memory limits; null where some source cannot be served at all. */
  readonly bound: BoundReport | null
  /** With memory limits; null where no placement was found, absent where it was not asked. */
  readonly boundWithMemory?: BoundReport | null
  /** Of an emulation: the same runs simulated with the measured costs, where that was asked for. */
  readonly simulated?: readonly PolicyRun[]
  /** Where several seeds were run. */
  readonly summary?: readonly PolicySummary[]
}

/** A policy over all seeds: means and 95 % intervals. */
export interface PolicySummary {
  readonly policy: string
  readonly seeds: number
  /** Of these, runs in which some data never came home; absent where there are none. */
  readonly failed?: number
  readonly throughput: MeanInterval
  readonly makespan: MeanInterval
  readonly sources: readonly {
    readonly name: string
    readonly inferenceTime: { readonly mean: MeanInterval; readonly p95: MeanInterval }
  }[]
}

/** One run of one policy. Seconds, bytes, results per second. */
export interface PolicyRun {
  readonly policy: string
  readonly seed: number | string
  readonly emulated: boolean
  /** From the start until the last result was back. */
  readonly makespan: number
  /** Results per second over the makespan. */
  readonly throughput: number
  readonly sources: readonly SourceRun[]
  readonly devices: readonly DeviceRun[]
  readonly links: readonly LinkRun[]
  /** Shared media: what all their links together use; absent where there are none. */
  readonly media?: readonly MediumRun[]
  /** Weights that were fetched in mid-run for new placements; absent where nothing could move. */
  readonly weightsMoved?: number
  /** Of an emulation: by what share blocks took longer than asked, because this machine was busy otherwise. */
  readonly disturbance?: number
  /** Of an emulation: seconds that devices came late to what they had to do, in the mean, at the latest device. */
  readonly processorLateness?: number
  /** Of an emulation whose activations may travel inexactly. */
  readonly encoding?: EncodingReport
  /** Present where the policy cannot run on this scenario, or some data never came home: why. */
  readonly because?: string
  /** Of an emulation that lacks results: none that could have come, for a simulation cannot have them either. */
  readonly cannotRun?: true
}

export interface EncodingReport {
  readonly choice: string
  /** How activations travelled on each link at the end. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly encoding: string }[]
  /** Elements of outputs that were compared with those of the whole model, run as it is; at equal distances. */
  readonly compared: number
  /** Of these; null where nothing could be compared. */
  readonly maxDifference: number | null
  readonly meanDifference: number | null
  /** The largest absolute value, to see the differences against. */
  readonly largest: number | null
}

/** What became of the data of a source in a run. */
export interface SourceRun {
  readonly name: string
  /** Data that came. */
  readonly admitted: number
  /** Data with a result. */
  readonly completed: number
  /** By the rule of the source's terms: no room in its queue, or not in time. */
  readonly dropped: number
  /** admitted - completed - dropped. */
  readonly lost: number
  /** Of the completed: after their deadline. Absent where there is none. */
  readonly late?: number
  /** Results per second. */
  readonly rate: number
  /** From when a datum was there until its result was back, seconds. */
  readonly inferenceTime: TimeSummary
}

/** What a device did in a run. */
export interface DeviceRun {
  readonly name: string
  /** Share of the makespan. */
  readonly busy: number
  /** Blocks that it ran. */
  readonly tasks: number
  /** Of the blocks that it carries at the end. */
  readonly residentBytes: number
}

/** What a link carried in a run, one direction. */
export interface LinkRun {
  readonly from: string
  readonly to: string
  /** Sent over it. */
  readonly bytes: number
  /** Share of the makespan. */
  readonly busy: number
}

/** What a shared medium carried in a run, all directions. */
export interface MediumRun {
  readonly devices: readonly string[]
  readonly bytes: number
  /** Share of the makespan. */
  readonly busy: number
}

/** What the network can serve at most, by sources. */
export interface BoundReport {
  /** The largest multiple of all demands that can be served. */
  readonly scale: number
  /** By source: results per second at that scale. */
  readonly rates: Readonly<Record<string, number>>
  /** Unloaded inference time of each source: a lower bound. */
  readonly latency: Readonly<Record<string, number>>
}
