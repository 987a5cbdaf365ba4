import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../core/clock.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { DEVICE_FLAGS, deviceEnvironment } from './device-environment.ts'
import { keepWatch } from './live-children.ts'

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))
/** A device drains its queues when asked to stop; one that hangs is killed. */
const STOP_PATIENCE: Seconds = seconds(8)

/** One line of `--json-events`. */
export interface NodeEvent {
  readonly event: string
  readonly [key: string]: unknown
}

export interface DeviceProcessOptions {
  readonly name: string
  /** Program and arguments that start the device's process in their own place. @default none */
  readonly launcher?: readonly string[]
  /** Flags of `tributary node`. */
  readonly flags: readonly string[]
  /** For more than some minutes: its memory must not creep up. @default false */
  readonly livesLong?: boolean | undefined
  /** What it says goes there. */
  readonly logFile: string
  readonly clock: Clock
  readonly onEvent: (event: NodeEvent) => void
}

export interface DeviceProcess extends AsyncDisposable {
  readonly name: string
  /** Resolves with how it ended, whoever ended it. */
  readonly ended: Promise<string>
  /** True once somebody here asked for its end. */
  readonly expectedToEnd: () => boolean
  /** A JSON line on its standard input. */
  order(order: unknown): void
  /** kill -9: no goodbye. */
  kill(): void
  stop(): Promise<void>
  /** The end of its log, for people. */
  lastWords(lines: number): string
}

/** Start one `tributary node` as a process of its own. */
export const startDevice = (options: DeviceProcessOptions): DeviceProcess => {
  const { name, logFile, clock } = options
  const log = openSync(logFile, 'a')
  const [program, ...words] = [
    ...(options.launcher ?? []),
    process.execPath,
    ...DEVICE_FLAGS,
    MAIN,
    ...['node', '--name', name]
  ]
  const child = spawn(program!, [...words, ...options.flags], {
    stdio: ['pipe', 'pipe', log],
    env: deviceEnvironment(process.env, options.livesLong === true)
  })
  closeSync(log)
  keepWatch(child)
  child.stdin!.on('error', () => {}) // it may be gone before its standard input is closed
  createInterface({ input: child.stdout! }).on('line', line => {
    const event = parseEvent(line)
    if (event !== undefined) options.onEvent(event)
  })
  // 'close', not 'exit': by then everything it printed has been read.
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (code, signal) => resolve(signal === null ? `exit ${code}` : `stopped by ${signal}`))
  })
  let expected = false
  const end = (how: () => void): void => {
    expected = true
    how()
  }
  return {
    name,
    ended,
    expectedToEnd: () => expected,
    order: order => child.stdin!.write(`${JSON.stringify(order)}\n`),
    kill: () => end(() => child.kill('SIGKILL')),
    lastWords: lines => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'),
    ...stopOnce(async () => {
      end(() => child.kill('SIGTERM'))
      await endWithin(child, ended, clock)
    })
  }
}

const endWithin = async (child: ChildProcess, ended: Promise<string>, clock: Clock): Promise<void> => {
  const patience = new AbortController()
  const late = clock.sleep(STOP_PATIENCE, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => {}
  )
  await ended
  patience.abort()
  await late
}

const parseEvent = (line: string): NodeEvent | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'event' in value ? (value as NodeEvent) : undefined
  } catch {
    return undefined
  }
}
