import type { ModelManifest } from '../../src/core/manifest.ts'

/** What both systems are given: the same devices, sources, data and blocks. */
export interface SystemJob {
  /** The whole model's file, and where its blocks are, in order. */
  readonly model: string
  readonly manifest: ModelManifest
  readonly blocks: readonly string[]
  /** `memory` in bytes. */
  readonly devices: readonly { readonly name: string; readonly speed: number; readonly memory: number }[]
  /** `device` by number. */
  readonly sources: readonly { readonly name: string; readonly device: number }[]
  /** Data of each source: more than it gets through. */
  readonly count: number
  readonly window: number
  /** As `tributary node --source` has them. */
  readonly arrivals: string
  readonly seed: string
  /** For state and sinks of one run. */
  readonly folder: string
}

/** One datum that is back at its source. */
export interface Result {
  readonly item: string
  /** Seconds from available to result at home. */
  readonly inferenceTime: number
  /** Of the outputs' bytes. */
  readonly digest: string
}

/** For each device the blocks of each. */
export type Placed = readonly (readonly number[])[]

/** Processes that are warm and wait for the start. */
export interface System {
  readonly placement: Placed
  readonly pids: readonly number[]
  begin(): void
  /** So far, in the order in which they came; for each source. */
  results(): Promise<readonly (readonly Result[])[]>
  stop(): Promise<void>
}
