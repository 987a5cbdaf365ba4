import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ClusterStatus } from '../runtime/device/device-status.ts'

/** The built command line: end-to-end tests run what users run. This file is in src/ or, for a bench, in dist/src/. */
export const MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/cli/main.js' : '../cli/main.js', import.meta.url)
)

export interface NodeProcess {
  readonly child: ChildProcess
  readonly name: string
  /** The first event of this name, also when it came before, of the device of that name. Rejects when the process ends first. */
  event(name: string, of?: string): Promise<Readonly<Record<string, unknown>>>
  /** The first status for which `wanted` holds. */
  status(wanted: (status: ClusterStatus) => boolean): Promise<ClusterStatus>
  /** The same among those that come from now on. */
  next(wanted: (status: ClusterStatus) => boolean): Promise<ClusterStatus>
  /** What it said so far. */
  log(): string
  /** Exit code, or the signal. */
  readonly ended: Promise<number | string>
}

type Event = Readonly<Record<string, unknown>>

const ALWAYS = ['--no-mdns', '--json-events', '--exit-with-parent']

/** Start `tributary node` as a real process, on any port unless the flags name one; the caller ends it. */
export const startNode = (name: string, flags: readonly string[], environment: NodeJS.ProcessEnv = {}): NodeProcess => {
  const isPlaced = flags.some(flag => flag === '--listen' || flag === '--port')
  const where = isPlaced ? [] : ['--listen', '127.0.0.1:0']
  return runNodeProcess(name, [...where, ...ALWAYS, '--print-invite', ...flags], environment)
}

/** The same with these flags and no others, as a service would start it. */
export const runNodeProcess = (
  name: string,
  flags: readonly string[],
  environment: NodeJS.ProcessEnv = {}
): NodeProcess => {
  const child = spawn(process.execPath, [MAIN, 'node', '--name', name, ...flags], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment }
  })
  const events: Event[] = []
  const watchers = new Set<(event: Event) => void>()
  let log = ''
  child.stderr!.on('data', chunk => {
    log += chunk
  })
  child.stdin!.on('error', () => {})
  createInterface({ input: child.stdout! }).on('line', line => {
    const event = JSON.parse(line) as Event
    events.push(event)
    for (const watch of watchers) watch(event)
  })
  const ended = new Promise<number | string>(resolve =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'))
  )
  const first = (wanted: (event: Event) => boolean, what: string, from = 0): Promise<Event> =>
    new Promise((resolve, reject) => {
      const known = events.slice(from).find(wanted)
      if (known !== undefined) return resolve(known)
      const watch = (event: Event): void => {
        if (!wanted(event)) return
        watchers.delete(watch)
        resolve(event)
      }
      watchers.add(watch)
      void ended.then(how => reject(new Error(`${name} ended (${how}) before ${what}:\n${log}`)))
    })
  const status = async (wanted: (status: ClusterStatus) => boolean, from?: number): Promise<ClusterStatus> => {
    const isWanted = (event: Event): boolean => event['event'] === 'status' && wanted(event['status'] as ClusterStatus)
    return (await first(isWanted, 'the status', from))['status'] as ClusterStatus
  }
  return {
    child,
    name,
    ended,
    event: (wanted, of) =>
      first(event => event['event'] === wanted && (of === undefined || event['name'] === of), wanted),
    status: wanted => status(wanted),
    next: wanted => status(wanted, events.length),
    log: () => log
  }
}
