import type { Clock } from '../../../core/clock.ts'
import type { TraceParent } from '../../../core/parse-traceparent.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import type { Device } from '../device.ts'
import type { LogLevel } from '../log-level.ts'
import type { Asker } from './asker.ts'
import { type RequestPart, RequestSource } from './request-source.ts'

export interface SeatsParts {
  readonly device: Device
  readonly deviceName: string
  /** Of this process, among all that this device has had. */
  readonly life: string
  readonly clock: Clock
  readonly wallTime: () => Seconds
  readonly say: (text: string, level?: LogLevel) => void
  /** At once. */
  readonly most: number
}

/** A source and who sits on it. */
export interface Seat {
  /** That have no answer. */
  readonly requests: number
  ask(parts: readonly (readonly Tensor[])[], trace?: TraceParent): readonly RequestPart[]
}

interface Taken extends Seat {
  readonly source: RequestSource
  /** Of a model and a weight: others of it may sit here next. Undefined: it is somebody's, by name. */
  readonly kind: string
  readonly isNamed: boolean
  requests: number
  holder: object | undefined
  idleSince: Seconds
}

/** A seat that nobody has sat on for so long is removed. */
const IDLE: Seconds = seconds(30)
const SWEEP: Seconds = seconds(5)

/**
 * The sources for those who ask. One without a name has a seat while it waits for answers, and the next one sits there: so there
 * are as many as ask at once, however many come and go. The placement knows one of each model.
 */
export class Seats {
  readonly #parts: SeatsParts
  readonly #seats = new Set<Taken>()
  readonly #named = new Map<string, Taken>()
  readonly #held = new WeakMap<object, Map<string, Taken>>()
  readonly #abort = new AbortController()
  #made = 0
  #isSweeping = false

  constructor(parts: SeatsParts) {
    this.#parts = parts
  }

  /** @returns undefined where there are as many as may be, and all are taken */
  take(asker: Asker, model: string, weight: number): Seat | undefined {
    const kind = `${weight} ${model}`
    return 'name' in asker
      ? this.#takeNamed(asker.name, kind, model, weight)
      : this.#takeAny(asker.connection, kind, model, weight)
  }

  async removeModel(model: string): Promise<void> {
    await Promise.all([...this.#seats].filter(({ source }) => source.model === model).map(seat => this.#remove(seat)))
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await Promise.all([...this.#seats].map(seat => this.#remove(seat)))
  }

  #takeNamed(name: string, kind: string, model: string, weight: number): Taken | undefined {
    const key = `${name} ${kind}`
    const known = this.#named.get(key)
    if (known !== undefined && !known.source.isOver) return known
    const made = this.#make(name, true, kind, model, weight)
    if (made !== undefined) this.#named.set(key, made)
    return made
  }

  #takeAny(connection: object, kind: string, model: string, weight: number): Taken | undefined {
    const held = this.#held.get(connection) ?? new Map<string, Taken>()
    this.#held.set(connection, held)
    const own = held.get(kind)
    if (own !== undefined && own.holder === connection && !own.source.isOver) return own
    const free = this.#free(kind) ?? this.#makeAny(kind, model, weight) ?? this.#emptiest(kind)
    if (free === undefined) return undefined
    free.holder = connection
    held.set(kind, free)
    return free
  }

  /** Half of the seats are for those with a name. */
  #makeAny(kind: string, model: string, weight: number): Taken | undefined {
    const taken = [...this.#seats].filter(({ isNamed, requests }) => !isNamed && requests > 0).length
    if (taken >= Math.max(1, this.#parts.most / 2)) return undefined
    return this.#make(`client-${this.#made + 1}`, false, kind, model, weight)
  }

  /** Where all are taken, several sit on one. */
  #emptiest(kind: string): Taken | undefined {
    const alike = [...this.#seats].filter(seat => !seat.isNamed && seat.kind === kind && !seat.source.isOver)
    return alike.sort((a, b) => a.requests - b.requests)[0]
  }

  #free(kind: string): Taken | undefined {
    for (const seat of this.#seats)
      if (!seat.isNamed && seat.kind === kind && seat.requests === 0 && !seat.source.isOver) return seat
    return undefined
  }

  #make(name: string, isNamed: boolean, kind: string, model: string, weight: number): Taken | undefined {
    const { device, most, clock } = this.#parts
    if (this.#seats.size >= most && !this.#makeRoom()) return undefined
    const isUncounted = [...this.#seats].some(({ source }) => source.model === model && !source.isUncounted)
    const source = new RequestSource({
      ...this.#parts,
      ...{ name, model, weight, isUncounted },
      life: `${this.#parts.life}.${++this.#made}`,
      over: () => this.#forget(seat)
    })
    const seat: Taken = {
      ...{ source, kind, isNamed, requests: 0, holder: undefined, idleSince: clock.now() },
      ask: (parts, trace) => this.#ask(seat, parts, trace)
    }
    this.#seats.add(seat)
    device.addSource(source.runner).catch(() => void this.#remove(seat))
    this.#sweep()
    return seat
  }

  #ask(seat: Taken, parts: readonly (readonly Tensor[])[], trace: TraceParent | undefined): readonly RequestPart[] {
    seat.requests++
    const asked = parts.map(tensors => seat.source.ask(tensors, trace))
    void Promise.all(asked.map(({ outcome }) => outcome)).then(() => {
      seat.requests--
      seat.idleSince = this.#parts.clock.now()
    })
    return asked
  }

  /** The one that nobody has sat on for longest goes. */
  #makeRoom(): boolean {
    const idle = [...this.#seats].filter(({ requests }) => requests === 0).sort((a, b) => a.idleSince - b.idleSince)
    if (idle[0] === undefined) return false
    void this.#remove(idle[0])
    return true
  }

  #forget(seat: Taken): void {
    this.#seats.delete(seat)
    for (const [key, known] of this.#named) if (known === seat) this.#named.delete(key)
  }

  async #remove(seat: Taken): Promise<void> {
    this.#forget(seat)
    await seat.source.stop()
    await this.#parts.device.removeSource(seat.source.runner.id)
  }

  /** While there is any. */
  async #sweep(): Promise<void> {
    const { clock } = this.#parts
    if (this.#isSweeping) return
    this.#isSweeping = true
    try {
      while (this.#seats.size > 0) {
        await clock.sleep(SWEEP, { signal: this.#abort.signal })
        const now = clock.now()
        for (const seat of [...this.#seats]) {
          if (seat.requests === 0 && now - seat.idleSince >= IDLE) await this.#remove(seat)
        }
      }
    } catch {
      // it is being stopped
    } finally {
      this.#isSweeping = false
    }
  }
}
