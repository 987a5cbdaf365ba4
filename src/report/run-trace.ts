/** A block that ran. Seconds from the start of the run. */
export interface TaskSpan {
  readonly policy: string
  readonly device: string
  readonly source: string
  readonly datum: number
  readonly model: string
  readonly block: number
  readonly start: number
  readonly end: number
}

/** An activation that was sent. */
export interface TransferSpan {
  readonly policy: string
  readonly from: string
  readonly to: string
  readonly source: string
  readonly datum: number
  readonly activation: number
  readonly bytes: number
  readonly start: number
  readonly end: number
}

/** A datum, from when it was available to when its result was home. */
export interface DatumSpan {
  readonly policy: string
  readonly source: string
  /** Of the source. */
  readonly device: string
  readonly datum: number
  readonly start: number
  /** When the window had room for it; absent where that is not told. */
  readonly admitted?: number
  /** Absent: it never came home. */
  readonly end?: number
}

/** Something that the scenario changes in mid-run, for every policy alike. */
export interface EventMark {
  readonly at: number
  /** For people, in a few words. */
  readonly text: string
}

/** What a report draws beside the numbers of a RunReport. */
export interface RunTrace {
  readonly tasks: readonly TaskSpan[]
  readonly transfers: readonly TransferSpan[]
  readonly data: readonly DatumSpan[]
  readonly events: readonly EventMark[]
  readonly inferenceTimes: readonly {
    readonly policy: string
    readonly source: string
    readonly seconds: readonly number[]
  }[]
  /** Blocks by device and model. */
  readonly placement: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
}
