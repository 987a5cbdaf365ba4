import './no-telemetry.ts'
import { existsSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Seconds, seconds } from '../../core/units.ts'
import { EngineError, StuckError } from '../ports/engine.ts'
import { LaneMemory } from './lane-memory.ts'
import type {
  LaneAnswers,
  LaneGreeting,
  LaneJobKind,
  LaneJobs,
  LaneReply,
  LaneRequest,
  LaneSettings
} from './lane-protocol.ts'

const YOUNG_MEGABYTES = 4

/** How often it is looked how long the job under way has lasted. */
const LOOK_EVERY: Seconds = seconds(0.25)
/** For the job that is under way when the lane is closed. */
const CLOSING: Seconds = seconds(4)

interface Pending {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
  /** For so long it may be under way, or its part that is. */
  readonly limit: JobLimit
  /** Since that is, as far as this process was awake. */
  lasted: number
  part: number
}

/** Of a job in parts: which is under way, and how long each may be. */
export interface JobLimit {
  readonly part: () => number
  readonly of: readonly Seconds[]
}

const UNLIMITED: JobLimit = { part: () => 0, of: [seconds(Number.POSITIVE_INFINITY)] }

/**
 * The main thread's end of one lane. Jobs are done in the order in which they are asked for. When the thread dies,
 * whatever is under way rejects with EngineError, `died` is called once, and the object is of no more use. A job that lasts
 * beyond its limit rejects with StuckError, and the lane counts as dead. Nothing ends its thread: ONNX Runtime does not
 * listen, and `worker.terminate()` waits until it returns (tried). It goes on at the lowest priority, and does not keep the process.
 */
export class LaneThread {
  /** Of its own: a lane that does not end may read what it was given for ever. */
  readonly memory = new LaneMemory()
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #died: (lane: LaneThread) => void
  readonly #ended: Promise<void>
  #nextId = 1
  #error: Error | undefined
  #thread: number | undefined
  #looking: NodeJS.Timeout | undefined
  #lookedAt = 0
  #isAbandoned = false

  constructor(settings: LaneSettings, died: (lane: LaneThread) => void) {
    this.#died = died
    this.#worker = new Worker(scriptOf('lane'), {
      workerData: settings,
      name: 'tributary-lane',
      // All it makes are small messages: the tensors are elsewhere.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES }
    })
    this.#worker.on('message', (message: LaneReply | LaneGreeting) => {
      if ('thread' in message) this.#thread = message.thread
      else this.#settle(message)
    })
    this.#worker.on('error', error => {
      this.#error = error
    })
    this.#ended = new Promise(resolve => this.#worker.once('exit', code => resolve(this.#exited(code))))
  }

  /** Whether its thread still runs what nothing ends. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /**
   * @param limit of the time that it is under way, or each of its parts. Default: as long as it takes
   * @throws EngineError in the lane's words, or when the lane dies; `buffers` are transferred
   * @throws StuckError beyond the limit
   */
  ask<K extends LaneJobKind>(
    kind: K,
    job: LaneJobs[K],
    buffers: ArrayBuffer[] = [],
    limit: JobLimit = UNLIMITED
  ): Promise<LaneAnswers[K]> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#worker.postMessage({ id, kind, job } satisfies LaneRequest<K>, buffers)
      this.#pending.set(id, { resolve, reject, limit, lasted: 0, part: 0 })
      if (limit !== UNLIMITED) this.#look()
    })
  }

  /** Finishes what was asked for, but waits no longer than `CLOSING`; gives its memory back and ends the thread. */
  async close(): Promise<void> {
    if (this.#isAbandoned) return
    const done = this.ask('close', {}).catch(() => {}) // it may die first: gone is gone
    let late: NodeJS.Timeout | undefined
    const isLate = new Promise<boolean>(resolve => {
      late = setTimeout(resolve, 1000 * CLOSING, true)
    })
    const ended = done.then(() => this.#ended).then(() => false)
    if (await Promise.race([ended, isLate])) this.#abandon(new EngineError('the engine has stopped'))
    clearTimeout(late)
  }

  /** Until nothing is under way. */
  #look(): void {
    if (this.#looking !== undefined) return
    this.#lookedAt = performance.now()
    this.#looking = setInterval(() => {
      const now = performance.now()
      // Where this thread was not served in time, the lane was hardly better off.
      const passed = Math.min(now - this.#lookedAt, 2000 * LOOK_EVERY) / 1000
      this.#lookedAt = now
      const [next] = this.#pending.values()
      if (next === undefined) {
        this.#stopLooking()
        return
      }
      const part = next.limit.part()
      next.lasted = part === next.part ? next.lasted + passed : 0
      next.part = part
      if (next.lasted > next.limit.of[part]!)
        this.#abandon(new StuckError(`it has not ended after ${next.lasted.toFixed(0)} s`))
    }, 1000 * LOOK_EVERY)
    this.#looking.unref()
  }

  #stopLooking(): void {
    clearInterval(this.#looking)
    this.#looking = undefined
  }

  #abandon(because: Error): void {
    const [stuck, ...others] = this.#pending.values()
    this.#pending.clear()
    this.#stopLooking()
    this.#isAbandoned = true
    this.#worker.unref()
    // Should it return one day, it ends by itself: one that is terminated while it makes its results takes the whole process along.
    this.#worker.postMessage({ id: 0, kind: 'close', job: {} } satisfies LaneRequest<'close'>)
    yieldProcessor(this.#thread)
    stuck?.reject(because)
    for (const { reject } of others) reject(new EngineError('the lane thread ended (a block before did not end)'))
    this.#died(this)
  }

  #settle(reply: LaneReply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.ok) pending?.resolve(reply.answer as never)
    else pending?.reject(new EngineError(reply.because))
  }

  #exited(code: number): void {
    this.#stopLooking()
    if (this.#isAbandoned) {
      this.#isAbandoned = false
      return
    }
    const why = this.#error === undefined ? `exit ${code}` : this.#error.message
    for (const { reject } of this.#pending.values()) reject(new EngineError(`the lane thread ended (${why})`))
    this.#pending.clear()
    this.#died(this)
  }
}

/** Only Linux gives a thread a priority of its own. */
const yieldProcessor = (thread: number | undefined): void => {
  if (thread === undefined) return
  try {
    setPriority(thread, constants.priority.PRIORITY_LOW)
  } catch {
    // It goes on at its old priority: nothing that could be done about it.
  }
}

/**
 * A script that Node runs by itself, in a thread or a process. Beside this file in a build; tests run the sources, which
 * Node cannot, and take it from the build.
 */
export const scriptOf = (name: 'lane' | 'calibrate-process' | 'probe-process'): URL => {
  const compiled = new URL(`./${name}.js`, import.meta.url)
  if (existsSync(compiled)) return compiled
  const built = new URL(`../../../dist/src/runtime/engine/${name}.js`, import.meta.url)
  if (existsSync(built)) return built
  throw new EngineError(`${built.pathname} is missing; build first: npm run build`)
}
