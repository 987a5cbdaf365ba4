import type { BoundReport, RunReport } from './run-report.ts'

/** What runs are compared with, memory limits counted where they are known; null where being below it says nothing of a run. */
export const comparableBound = ({ saturated, bound, boundWithMemory }: RunReport): BoundReport | null =>
  saturated ? (boundWithMemory ?? bound) : null
