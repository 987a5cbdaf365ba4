import { type Seconds, seconds } from './units.ts'

/** Who goes when the queue of a source is full: who waits longest, who comes last, or nobody: then what brings data waits. */
export const DROP_RULES = ['oldest', 'newest', 'none'] as const

export type DropRule = (typeof DROP_RULES)[number]

/** What becomes of a datum that is under way at its deadline: it is finished, or cancelled. */
export const LATE_RULES = ['finish', 'cancel'] as const

export type LateRule = (typeof LATE_RULES)[number]

/** How the data of a source that cannot wait come in. */
export interface AdmissionTerms {
  /** A datum that is not begun so long after it was there is dropped; infinite: it waits as long as it takes. */
  readonly deadline: Seconds
  readonly drop: DropRule
  /** So many may wait for room in the window, at least 1. */
  readonly queue: number
  /** So many a second are admitted at most; infinite: no limit. */
  readonly rate: number
  readonly late: LateRule
}

/** Everything waits its turn. */
export const PATIENT_TERMS: AdmissionTerms = {
  deadline: seconds(Number.POSITIVE_INFINITY),
  drop: 'none',
  queue: 1,
  rate: Number.POSITIVE_INFINITY,
  late: 'finish'
}
