import type { DeviceObserver } from './device-observer.ts'

/** Tells all of them, in order. */
export const observeAll = (observers: readonly DeviceObserver[]): DeviceObserver => {
  const [first] = observers
  if (first !== undefined && observers.length === 1) return first
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
