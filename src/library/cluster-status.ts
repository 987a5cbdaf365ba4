/** What the latest data took, in seconds; null while nothing was measured. */
export interface TimeFacts {
  /** Mean, seconds. */
  readonly mean: number | null
  /** Median, seconds. */
  readonly p50: number | null
  /** 95 of 100 took no longer, seconds. */
  readonly p95: number | null
  /** 99 of 100 took no longer, seconds. */
  readonly p99: number | null
}

/** A source of some device of the cluster. */
export interface SourceStatus {
  /** As its device calls it. */
  readonly name: string
  /** The name of the device that it belongs to. */
  readonly device: string
  /** The name of the model that computes its data. */
  readonly model: string
  /** `waiting`, `running`, `done`, `stopped` or `failed`. */
  readonly state: string
  /** What it waits for, or why it cannot go on; '' where nothing holds it up. */
  readonly because: string
  /** Data that it has, as far as is known. */
  readonly available: number
  /** Computed, on their way, given up, or dropped. */
  readonly admitted: number
  /** Data with a result. */
  readonly completed: number
  /** Given up because they could not be computed. */
  readonly failed: number
  /** Let go before they were computed. */
  readonly dropped: number
  /** Of these, since its device was started: how many for each reason. */
  readonly droppedBy: Readonly<Record<string, number>>
  /** Admitted data that have no outcome yet. */
  readonly inFlight: number
  /** Dispatches beyond the first of their datum. */
  readonly resent: number
  /** Results that came twice and were dropped. */
  readonly duplicates: number
  /** Results per second over the last ten seconds. */
  readonly rate: number
  /** From when a datum was there until its result was back, of the latest. */
  readonly inferenceTime: TimeFacts
}

/** The blocks of one model that a device carries. */
export interface CarriedBlocks {
  /** Their numbers in the model, ascending. */
  readonly blocks: readonly number[]
  /** What they take of the device's memory together, bytes. */
  readonly residentBytes: number
  /** What each of them runs on, and why; left out where nothing but cpu was asked for. */
  readonly providers?: readonly { readonly provider: string; readonly because: string }[] | undefined
}

/** A device of the cluster. Seconds, bytes. */
export interface DeviceStatus {
  /** As it was called at its start; others may have the same name. */
  readonly name: string
  /** Its peer id: its own alone. */
  readonly id: string
  /** How fast it computes blocks: a block takes its declared work divided by it. */
  readonly speed: number
  /** It stands for a slower device, or its links for slower ones. */
  readonly emulated: boolean
  /** For blocks; null where it is not limited. */
  readonly memory: number | null
  /** So many blocks it runs at once; each lane holds its own. */
  readonly lanes: number
  /** Threads of each, and why, where it chose that itself; null: it was told. */
  readonly split: { readonly threads: number; readonly because: string } | null
  /** The policy that it was started with. */
  readonly policy: string
  /** Since it was started. */
  readonly uptime: number
  /** By model: the blocks that it carries, and what they take of its memory. */
  readonly models: Readonly<Record<string, CarriedBlocks>>
  /** Tasks that wait: for its processor, for a link, for a block that nobody carries. */
  readonly queue: { readonly lane: number; readonly links: number; readonly waiting: number }
  /** Blocks that it has run. */
  readonly tasks: number
  /** Share of the last ten seconds in which it ran a block. */
  readonly busy: number
  /** To all others, since it was started. */
  readonly bytesSent: number
  /** To the devices that it is connected with: bytes per second, seconds, bytes. */
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
  /** The devices that are members now. */
  readonly devices: readonly DeviceStatus[]
  /** All sources of these devices. */
  readonly sources: readonly SourceStatus[]
  /** Which device carries which blocks. */
  readonly placement: {
    readonly epoch: number
    /** Everything that is placed is loaded. */
    readonly ready: boolean
    /** By model and device: the blocks. */
    readonly models: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
    /** Blocks that fit nowhere, and why. */
    readonly unplaced: readonly { readonly model: string; readonly block: number; readonly because: string }[]
  }
  /**
   * Data that were computed a second time, those of which two results differed, and who was set aside for it, as the device
   * `by` says of its own sources.
   */
  readonly audits: {
    readonly done: number
    readonly deviations: number
    readonly setAside: readonly {
      readonly device: string
      readonly model: string
      /** For so much longer. */
      readonly seconds: number
      readonly because: string
      readonly by: string
    }[]
  }
  /** What devices were told differently and should not have been, in words. */
  readonly differences: readonly string[]
}
