import type { AdmissionTerms } from '../../core/admission-terms.ts'
import type { Arrivals } from '../../core/scenario.ts'
import type { Seconds } from '../../core/units.ts'
import type { Window } from '../../core/window.ts'

/** What a source has agreed with its device, whatever its data are made of. */
export interface SourceTerms {
  readonly name: string
  /** Name of the model; undefined for the cluster's only one. */
  readonly model: string | undefined
  /** How many data may be in flight. */
  readonly window: Window
  readonly arrivals: Arrivals
  readonly weight: number
  /** How data that come by themselves are admitted. @default each waits its turn, as long as it takes */
  readonly admission?: AdmissionTerms
  /** So long after the run began it has its first datum. */
  readonly start: Seconds
  /** So long, at least, an item that is absent or unreadable is tried again before it is left to the next start. */
  readonly patience: Seconds
}
