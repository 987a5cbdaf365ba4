import type { LineFacts } from '../runtime/device/line-facts.ts'
import type { LogLevel } from '../runtime/device/log-level.ts'

/** Who hears of a device: people one line at a time, programs events. */
export interface DeviceLog {
  /** @param level default: info */
  say(text: string, level?: LogLevel, facts?: LineFacts): void
  event(event: { readonly event: string; readonly [key: string]: unknown }): void
}
