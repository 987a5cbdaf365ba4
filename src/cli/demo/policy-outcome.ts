import { join } from 'node:path'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { type TimeSummary, timeSummary } from '../../core/time-summary.ts'
import type { PolicyRecord } from './policy-clusters.ts'
import { type SourceScore, scoreSource } from './score-source.ts'

/** One policy's run, as `demo --json` prints it. Seconds, bytes, results per second. */
export interface PolicyRun {
  readonly policy: string
  readonly sources: readonly SourceScore[]
  readonly throughput: number
  /** Of each round, in order: how much it varies. */
  readonly rounds: readonly { readonly throughput: number; readonly makespan: number }[]
  /** From the first source's beginning to the last result, of all rounds together. */
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
  /** Share by which blocks took longer than declared: the machine was busy with something else. */
  readonly disturbance: number
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

/** What is right, by item, by source. */
export interface PlainReadings {
  /** What plain ONNX Runtime reads. */
  readonly expected: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** How sure plain ONNX Runtime is of it. */
  readonly confidences: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** All rounds of one policy together, compared with what plain ONNX Runtime reads. */
export const policyOutcome = (
  { policy, lines, rounds, lives }: PolicyRecord,
  { expected, confidences }: PlainReadings,
  choice: EncodingChoice
): PolicyOutcome => {
  const last = lives.at(-1)!
  const sinks = [...expected].map(([name, items]) => ({ name, items, lines: lines.get(name) ?? [] }))
  const sources = sinks.map(({ name, items, lines }) => scoreSource(name, items, lines))
  const differences = sinks.flatMap(({ name, lines }) =>
    lines.flatMap(({ item, result }) => {
      const plain = confidences.get(name)?.get(item)
      return plain === undefined ? [] : [Math.abs(result.confidence - plain)]
    })
  )
  const makespan = rounds.reduce((sum, round) => sum + round.makespan, 0)
  const ofDevice = (d: number, what: 'busySeconds' | 'lateSeconds'): number =>
    lives.reduce((sum, { devices }) => sum + devices[d]![what], 0)
  const allOf = (what: 'busySeconds' | 'lateSeconds'): number =>
    last.devices.reduce((total, _, d) => total + ofDevice(d, what), 0)
  return {
    run: {
      policy,
      sources,
      throughput: sources.reduce((all, { correct, wrong }) => all + correct + wrong, 0) / makespan,
      rounds: rounds.map(round => ({ throughput: round.images / round.makespan, makespan: round.makespan })),
      makespan,
      bytesSent: lives.reduce((sum, life) => sum + life.bytesSent, 0),
      devices: last.devices.map(({ name, blocks, residentBytes }, d) => ({
        name,
        blocks,
        residentBytes,
        busy: Math.min(1, ofDevice(d, 'busySeconds') / makespan)
      })),
      disturbance: allOf('lateSeconds') / Math.max(1e-9, allOf('busySeconds') - allOf('lateSeconds')),
      encoding: {
        choice,
        links: last.links,
        differently: sources.reduce((all, { wrong }) => all + wrong, 0),
        maxDifference: differences.length === 0 ? null : Math.max(...differences),
        meanDifference: differences.length === 0 ? null : differences.reduce((a, b) => a + b, 0) / differences.length
      }
    },
    inferenceTime: timeSummary(sinks.flatMap(({ lines }) => lines.map(line => line.inferenceTime))),
    texts: new Map(sinks.flatMap(({ name, lines }) => lines.map(line => [join(name, line.item), line.result.text])))
  }
}
