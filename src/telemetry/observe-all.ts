import type { DeviceObserver } from '../runtime/ports/device-observer.ts'

/** Tells all of them, in order. @returns undefined where there is none: then nobody is told anything */
export const observeAll = (observers: readonly DeviceObserver[]): DeviceObserver | undefined => {
  const [first, ...others] = observers
  if (first === undefined || others.length === 0) return first
  return {
    ran: event => {
      for (const observer of observers) observer.ran(event)
    },
    sent: event => {
      for (const observer of observers) observer.sent(event)
    },
    admitted: event => {
      for (const observer of observers) observer.admitted(event)
    },
    ended: event => {
      for (const observer of observers) observer.ended(event)
    }
  }
}
