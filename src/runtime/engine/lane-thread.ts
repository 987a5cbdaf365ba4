import './no-telemetry.ts'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { EngineError } from './engine.ts'
import type { LaneAnswers, LaneJobKind, LaneJobs, LaneReply, LaneRequest, LaneSettings } from './lane-protocol.ts'

const YOUNG_MEGABYTES = 4

interface Pending {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

/**
 * The main thread's end of one lane. Jobs are done in the order in which they are asked for. When the thread dies,
 * whatever is under way rejects with EngineError, `died` is called once, and the object is of no more use.
 */
export class LaneThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #died: (lane: LaneThread) => void
  readonly #ended: Promise<void>
  #nextId = 1
  #error: Error | undefined

  constructor(settings: LaneSettings, died: (lane: LaneThread) => void) {
    this.#died = died
    this.#worker = new Worker(scriptOf('lane'), {
      workerData: settings,
      name: 'tributary-lane',
      // All it makes are small messages: the tensors are elsewhere.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES }
    })
    this.#worker.on('message', (reply: LaneReply) => this.#settle(reply))
    this.#worker.on('error', error => {
      this.#error = error
    })
    this.#ended = new Promise(resolve => this.#worker.once('exit', code => resolve(this.#exited(code))))
  }

  /** @throws EngineError in the lane's words, or when the lane dies; `buffers` are transferred */
  ask<K extends LaneJobKind>(kind: K, job: LaneJobs[K], buffers: ArrayBuffer[] = []): Promise<LaneAnswers[K]> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#worker.postMessage({ id, kind, job } satisfies LaneRequest<K>, buffers)
      this.#pending.set(id, { resolve, reject })
    })
  }

  /** Finishes what was asked for, gives its memory back and ends the thread. */
  async close(): Promise<void> {
    await this.ask('close', {}).catch(() => {}) // it may die first: gone is gone
    await this.#ended
  }

  #settle(reply: LaneReply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (reply.ok) pending?.resolve(reply.answer as never)
    else pending?.reject(new EngineError(reply.because))
  }

  #exited(code: number): void {
    const why = this.#error === undefined ? `exit ${code}` : this.#error.message
    for (const { reject } of this.#pending.values()) reject(new EngineError(`the lane thread ended (${why})`))
    this.#pending.clear()
    this.#died(this)
  }
}

/**
 * A script that Node runs by itself, in a thread or a process. Beside this file in a build; tests run the sources, which
 * Node cannot, and take it from the build.
 */
export const scriptOf = (name: 'lane' | 'calibrate-process'): URL => {
  const compiled = new URL(`./${name}.js`, import.meta.url)
  if (existsSync(compiled)) return compiled
  const built = new URL(`../../../dist/src/runtime/engine/${name}.js`, import.meta.url)
  if (existsSync(built)) return built
  throw new EngineError(`${built.pathname} is missing; build first: npm run build`)
}
