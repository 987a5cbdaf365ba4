import { type Bytes, bytes } from './units.ts'

/** Of the memory for blocks, what there is for those of each lane: each holds its own, with all their weights. */
export const memoryOfLane = (memory: Bytes, lanes = 1): Bytes => bytes(memory / lanes)
