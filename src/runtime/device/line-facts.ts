/** What programs that read a log want to find a line by. */
export interface LineFacts {
  /** Of the datum that the line speaks of, where that one is followed. */
  readonly traceId?: string | undefined
}
