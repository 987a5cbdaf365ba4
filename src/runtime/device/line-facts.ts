/** What a line tells of, where that is more than what somebody did. */
export type LineKind = 'joined' | 'left' | 'refused' | 'blocks' | 'setAside'

/** What programs that read a log want to find a line by. */
export interface LineFacts {
  /** Of the datum that the line speaks of, where that one is followed. */
  readonly traceId?: string | undefined
  readonly kind?: LineKind
  /** The name of the device that the line is about, where that is another one. */
  readonly device?: string
}
