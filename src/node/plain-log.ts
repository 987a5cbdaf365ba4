import type { DeviceLog } from './device-log.ts'
import { plainMessage } from './plain-message.ts'

/** The same log, whose messages are one line each: in many of them are words of other devices. */
export const plainLog = (log: DeviceLog): DeviceLog => ({
  say: (text, level, facts) => log.say(plainMessage(text), level, facts),
  event: event => log.event(event)
})
