/** What one look at the machine found. */
export interface Finding {
  /** What was looked at: "ffmpeg". */
  readonly check: string
  /** `note`: good to know, and nothing must be done. */
  readonly state: 'ok' | 'note' | 'todo'
  readonly found: string
  /** What to do; of a note, what could be done. */
  readonly remedy?: string
}

/** One look, in words of its own; what it throws is a finding too. */
export type Check = () => Promise<Finding | readonly Finding[]>
