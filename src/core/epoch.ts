/**
 * Placements are numbered within terms; each election begins one. Both together are the epoch, 3000012 for the twelfth placement of
 * the third term: on every device it grows, but for one that was alone with somebody who had led it far away.
 */

/** Of one term: a planner that has used them all begins another. */
export const NUMBERS = 1_000_000
/** Terms go round: there is no last one that anybody could claim. */
export const TERMS = 2 ** 32

/** @param term 0 .. TERMS - 1, one more for each election @param number 1 .. NUMBERS - 1, one more for each placement of a term */
export const epochOf = (term: number, number: number): number => term * NUMBERS + number

export const termOf = (epoch: number): number => Math.floor(epoch / NUMBERS)

export const numberOf = (epoch: number): number => epoch % NUMBERS

export const termAfter = (term: number, steps: number): number => (term + steps) % TERMS

/** How many terms `to` is ahead of `from`; where it is behind, more than half of all there are. */
export const stepsBetween = (from: number, to: number): number => (to - from + TERMS) % TERMS

/** For people: 3.12 for the twelfth placement of the third term; 0 while there is none. */
export const formatEpoch = (epoch: number): string => (epoch === 0 ? '0' : `${termOf(epoch)}.${numberOf(epoch)}`)
