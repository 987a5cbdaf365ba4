import type { Seconds } from '../../../core/units.ts'

/** How one provider did with a block, on the same made-up input as the others. */
export interface ProviderTrial {
  readonly provider: string
  /** Median of its runs, by turns with cpu; undefined where it did not run. */
  readonly time: Seconds | undefined
  /** Of its outputs from those of cpu, of the largest output; undefined where it did not run. */
  readonly difference: number | undefined
  readonly isChosen: boolean
  /** Why it is, or is not. */
  readonly because: string
}
