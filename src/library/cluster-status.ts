/** What the latest data took, in seconds; null while nothing was measured. */
export interface TimeFacts {
  readonly mean: number | null
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** A source of some device of the cluster. */
export interface SourceStatus {
  readonly name: string
  readonly device: string
  readonly model: string
  readonly state: string
  /** What it waits for, or why it cannot go on; '' where nothing holds it up. */
  readonly because: string
  /** Data that it has, as far as is known. */
  readonly available: number
  /** Computed, on their way, given up, or dropped. */
  readonly admitted: number
  readonly completed: number
  /** Given up because they could not be computed. */
  readonly failed: number
  /** Let go before they were computed. */
  readonly dropped: number
  readonly inFlight: number
  /** Dispatches beyond the first of their datum. */
  readonly resent: number
  /** Results that came twice and were dropped. */
  readonly duplicates: number
  /** Results per second over the last ten seconds. */
  readonly rate: number
  readonly inferenceTime: TimeFacts
}

/** A device of the cluster. Seconds, bytes. */
export interface DeviceStatus {
  readonly name: string
  readonly id: string
  readonly speed: number
  readonly emulated: boolean
  /** For blocks; null where it is not limited. */
  readonly memory: number | null
  readonly policy: string
  /** Since it was started. */
  readonly uptime: number
  /** By model: the blocks that it carries, and what they take of its memory. */
  readonly models: Readonly<Record<string, { readonly blocks: readonly number[]; readonly residentBytes: number }>>
  /** Tasks that wait: for its processor, for a link, for a block that nobody carries. */
  readonly queue: { readonly lane: number; readonly links: number; readonly waiting: number }
  /** Blocks that it has run. */
  readonly tasks: number
  /** Share of the last ten seconds in which it ran a block. */
  readonly busy: number
  readonly bytesSent: number
  readonly links: readonly {
    readonly to: string
    readonly rate: number
    readonly latency: number
    readonly bytesSent: number
    readonly emulated: boolean
  }[]
  /** What is wrong with it, in words. */
  readonly troubles: readonly string[]
}

/** A cluster as one of its devices knows it. */
export interface ClusterStatus {
  /** The device that says so. */
  readonly answeredBy: string
  /** The device that places blocks; null while there is none. */
  readonly planner: string | null
  readonly devices: readonly DeviceStatus[]
  readonly sources: readonly SourceStatus[]
  readonly placement: {
    readonly epoch: number
    /** Everything that is placed is loaded. */
    readonly ready: boolean
    /** By model and device: the blocks. */
    readonly models: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
    /** Blocks that fit nowhere, and why. */
    readonly unplaced: readonly { readonly model: string; readonly block: number; readonly because: string }[]
  }
  /** What devices were told differently and should not have been, in words. */
  readonly differences: readonly string[]
}
