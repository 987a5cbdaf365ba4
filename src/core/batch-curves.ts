import type { BatchCurve } from './batch-curve.ts'

/** By device: what several data of each block take at once there; undefined: they run one at a time. */
export type BatchCurves = readonly (readonly (BatchCurve | undefined)[] | undefined)[]
