import type { DeviceLog } from '../../node/device-log.ts'
import { plainMessage } from '../../node/plain-message.ts'
import type { LineFacts } from '../../runtime/device/line-facts.ts'
import type { LogLevel } from '../../runtime/device/log-level.ts'
import { wallDate } from '../../runtime/system-clock.ts'

/**
 * Talk goes to standard error or a file, one line a message: when, how grave, who, what. Events for programs go to standard
 * output as JSON lines when asked for, with `time` and `level` too.
 */
export type NodeLog = DeviceLog

export type LogFormat = 'text' | 'json'

export interface NodeLogOptions {
  /** What the device is called. */
  readonly name: string
  readonly format: LogFormat
  readonly jsonEvents: boolean
}

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

/** What a trace is looked up by. */
const traced = ({ traceId }: LineFacts = {}): string => (traceId === undefined ? '' : ` (trace ${traceId})`)

export const createNodeLog = (
  { name, format, jsonEvents }: NodeLogOptions,
  ports: Partial<NodeLogPorts> = {}
): NodeLog => {
  const { err, out, date } = { ...PORTS, ...ports }
  const line = (message: string, level: LogLevel, facts?: LineFacts): string => {
    const time = date().toISOString()
    return format === 'json'
      ? JSON.stringify({ time, level, name, message, ...facts })
      : `${time} ${level} ${name}: ${plainMessage(message)}${traced(facts)}`
  }
  return {
    say: (text, level = 'info', facts) => err(`${line(text, level, facts)}\n`),
    event: event => {
      if (jsonEvents) out(`${JSON.stringify({ time: date().toISOString(), level: 'info', ...event })}\n`)
    }
  }
}
