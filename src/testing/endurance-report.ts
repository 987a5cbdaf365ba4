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
  readonly processes: readonly {
    readonly name: string
    readonly lived: number
    readonly megabytes: number
    readonly files: number
    /** Of processes that lived long enough to settle. */
    readonly megabytesPerMinute?: number
    readonly filesPerMinute?: number
  }[]
}
