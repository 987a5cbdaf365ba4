import type { DatumStep } from './datum-step.ts'
import type { DeviceObserver } from './device-observer.ts'

/** Tells what a device does one step after the other; each is a value of its own. */
export const stepsObserver = (note: (step: DatumStep) => void): DeviceObserver => ({
  ran: block => note({ did: 'ran', ...block }),
  sent: transfer => note({ did: 'sent', ...transfer }),
  admitted: datum => note({ did: 'admitted', ...datum }),
  ended: datum => note({ did: 'ended', ...datum })
})
