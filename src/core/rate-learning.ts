import { seconds } from './units.ts'

/** How the rate of a link is learnt, by running devices and in simulated time alike. */
export const RATE_LEARNING = {
  /** Of the newest transfer in the average of seconds per byte. */
  weight: 0.2,
  /** Times its best seconds per byte from which a link is taken to have become slow. */
  slower: 2,
  /** One that is, and was not measured for so long, is measured again. */
  old: seconds(5)
} as const
