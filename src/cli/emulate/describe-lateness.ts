import { formatSeconds } from '../../core/format-quantity.ts'
import type { PolicyRun } from '../../report/run-report.ts'

/** Blocks that take so much longer than asked are another network than the scenario's. */
const DISTURBED = 0.05
/** Seconds; timers and other work of the same thread come to a fraction of it. */
const LATE = 0.005

/** What was not as the scenario says, because this machine had no processor to spare: of blocks, or of all else. */
export const describeLateness = ({ policy, disturbance = 0, processorLateness = 0 }: PolicyRun): string | undefined => {
  const busy = 'this machine is busy with something else, or the speeds are too much for it'
  if (disturbance > DISTURBED)
    return `${policy}: blocks took ${(100 * disturbance).toFixed(0)} % longer than asked: ${busy}; do not trust these times`
  if (processorLateness > LATE)
    return `${policy}: processors were late: blocks were in time, but sending and deciding waited ${formatSeconds(processorLateness)} for a processor in the mean: ${busy}; times are longer than they should be`
  return undefined
}
