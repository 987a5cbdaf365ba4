import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processorTime } from '../peers/processor-time.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const HOOK = new URL('./traffic-hook.js', import.meta.url).href
/** Milliseconds between two looks for what a process has written down. */
const LOOK = 20

/** Since its start. */
export interface Traffic {
  /** Bytes written to connections: encrypted, with all that libp2p says of its own. */
  readonly sent: number
  readonly connections: number
  /** Of messages beside data, before they are encrypted. */
  readonly kinds: Readonly<Record<string, { readonly messages: number; readonly bytes: number }>>
}

export interface Counts extends Traffic {
  /** Milliseconds. */
  readonly at: number
  /** Seconds. */
  readonly processor: number
  /** Bytes. */
  readonly resident: number
}

/** A device as a process. What it sends is counted within it; when it noticed something its own log says. */
export class CountedDevice {
  readonly name: string
  readonly child: ChildProcess
  readonly #folder: string
  readonly #waiting = new Set<() => void>()
  #log = ''

  constructor(name: string, folder: string, flags: readonly string[]) {
    this.name = name
    this.#folder = folder
    const own = [
      '--name',
      name,
      '--listen',
      '127.0.0.1:0',
      '--no-mdns',
      '--print-invite',
      '--state',
      join(folder, name)
    ]
    this.child = spawn(process.execPath, [MAIN, 'node', '--exit-with-parent', ...own, ...flags], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TRIBUTARY_TRAFFIC: folder, NODE_OPTIONS: `--import ${HOOK}` }
    })
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', piece => this.#hear(String(piece)))
    this.child.once('exit', () => this.#hear('\n'))
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  #hear(piece: string): void {
    this.#log += piece
    for (const look of [...this.#waiting]) look()
  }

  /** How long its log is by now: what was said before is of the past. */
  get mark(): number {
    return this.#log.length
  }

  /** The first line behind the mark that fits. @throws Error where the process ends, or so many seconds pass, before */
  async line(what: RegExp, mark = 0, patience = 120): Promise<string> {
    const done = new AbortController()
    const late = wait(patience * 1000, undefined, { signal: done.signal }).then(() => {
      throw new Error(`${this.name} did not say within ${patience} s: ${what}\n${this.#log.slice(-2000)}`)
    })
    late.catch(() => {})
    const found = new Promise<string>((resolve, reject) => {
      const look = (): void => {
        const line = this.#log
          .slice(mark)
          .split('\n')
          .find(one => what.test(one))
        if (line === undefined && this.isRunning) return
        this.#waiting.delete(look)
        if (line === undefined) reject(new Error(`${this.name} has ended:\n${this.#log.slice(-2000)}`))
        else resolve(line)
      }
      this.#waiting.add(look)
      look()
    })
    try {
      return await Promise.race([found, late])
    } finally {
      done.abort()
    }
  }

  /** Milliseconds since 1970 at which it said that, by its own log. */
  async saidAt(what: RegExp, mark: number): Promise<number> {
    return Date.parse((await this.line(what, mark)).slice(0, '2026-11-30T22:56:42.062Z'.length))
  }

  async counts(): Promise<Counts> {
    const pid = this.child.pid!
    const file = join(this.#folder, `${pid}.json`)
    await rm(file, { force: true })
    this.child.kill('SIGUSR2')
    const traffic = await this.#written(file)
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const resident = 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])
    return { ...traffic, at: performance.now(), processor: processorTime([pid]), resident }
  }

  async #written(file: string): Promise<Traffic> {
    for (;;) {
      try {
        return JSON.parse(await readFile(file, 'utf8')) as Traffic
      } catch {
        if (!this.isRunning) throw new Error(`${this.name} has ended:\n${this.#log.slice(-2000)}`)
        await wait(LOOK) // not yet, or not all of it
      }
    }
  }
}
