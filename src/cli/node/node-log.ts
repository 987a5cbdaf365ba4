import type { DeviceLog } from '../../node/device-log.ts'
import { wallDate } from '../../runtime/system-clock.ts'

/**
 * Talk goes to stderr, one line a message: when, how grave, who, what. Events for programs go to stdout as JSON lines when
 * asked for, with `time` and `level` too.
 */
export type NodeLog = DeviceLog

/** Where a log goes and what time it is there. */
export interface NodeLogPorts {
  readonly err: (text: string) => void
  readonly out: (text: string) => void
  readonly date: () => Date
}

const PORTS: NodeLogPorts = {
  err: text => void process.stderr.write(text),
  out: text => void process.stdout.write(text),
  date: wallDate
}

export const createNodeLog = (
  name: string,
  jsonEvents: boolean,
  { err, out, date }: NodeLogPorts = PORTS
): NodeLog => ({
  say: (text, level = 'info') => err(`${date().toISOString()} ${level} ${name}: ${text}\n`),
  event: event => {
    if (jsonEvents) out(`${JSON.stringify({ time: date().toISOString(), level: 'info', ...event })}\n`)
  }
})
