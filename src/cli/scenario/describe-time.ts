import { formatSeconds } from '../../core/format-quantity.ts'

/** A time in words; a dash for that of a source without results, which is no number. */
export const describeTime = (time: number): string => (Number.isNaN(time) ? '-' : formatSeconds(time))
