interface Counted {
  readonly name: string
  readonly count: number
}

/** What a bad day came to. */
export interface EnduranceReport {
  readonly asked: readonly Counted[]
  readonly completed: readonly Counted[]
  readonly twice: number
  readonly checked: number
  readonly wrong: number
  /** Why something never came home; empty: all did. */
  readonly because: string
  readonly weightsMoved: number
  readonly events: number
  /** Of the longest log. */
  readonly logLines: number
  /** What no person can read or should have to: stacks, values that are none, endless lines. The first few. */
  readonly oddLines: readonly string[]
  /** Processes of devices that are still there after the end. */
  readonly left: number
  readonly processes: readonly {
    readonly name: string
    readonly lived: number
    readonly megabytes: number
    /** At most, and at the end. */
    readonly mostMegabytes: number
    readonly files: number
    /** Of processes that lived long enough to settle. */
    readonly megabytesPerMinute?: number
    readonly filesPerMinute?: number
  }[]
}
