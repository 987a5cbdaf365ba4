import type { DatumStep } from '../../runtime/ports/datum-step.ts'
import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'
import { stepsObserver } from '../../runtime/ports/steps-observer.ts'

/** What a device did, as it was told. */
export type Observed = DatumStep

/** Keeps all of it. */
export const memoryObserver = (): DeviceObserver & { readonly told: readonly Observed[] } => {
  const told: Observed[] = []
  return { told, ...stepsObserver(step => void told.push(step)) }
}
