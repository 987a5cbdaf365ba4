import { plainText } from '../runtime/network/plain-text.ts'
import type { DeviceLog } from './device-log.ts'

/** Of one message, in characters. */
const LONGEST = 4000

/** The same log, whose messages are one line each that does nothing to a terminal: in many of them are words of other devices. */
export const plainLog = (log: DeviceLog): DeviceLog => ({
  say: (text, level, facts) => log.say(plainText(text, LONGEST), level, facts),
  event: event => log.event(event)
})
