import type { DatumStep } from './datum-step.ts'

/** The same step on another clock. @param by what to add to an instant, in seconds */
export const shiftStep = (step: DatumStep, by: number): DatumStep => {
  switch (step.did) {
    case 'ran':
    case 'sent':
      return { ...step, ready: step.ready + by, start: step.start + by, end: step.end + by }
    case 'admitted':
      return { ...step, available: step.available + by, at: step.at + by }
    case 'ended':
      return step.outcome === 'result'
        ? { ...step, available: step.available + by, at: step.at + by }
        : { ...step, at: step.at + by }
    default:
      return step satisfies never
  }
}
