import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { FairQueue } from '../core/fair-queue.ts'
import { seconds } from '../core/units.ts'

const requestSchema = z.object({ id: z.int(), link: z.int(), takes: z.number().min(0) })

export interface MediumArbiter extends AsyncDisposable {
  /** host:port, for the devices. */
  readonly address: string
  /** Seconds of air given out so far. */
  busy(): number
}

/**
 * One shared medium of an emulated network: one server for all links of all devices on it, which share it by equal time as in
 * the simulator. Devices ask for seconds of air over a local socket and are told when they have it.
 */
export const openMediumArbiter = async (clock: Clock): Promise<MediumArbiter> => {
  const sockets = new Set<Socket>()
  const air = new SharedAir(clock)
  let devices = 0
  const server = createServer(socket => {
    const device = devices++
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    const lines = createInterface({ input: socket })
    lines.on('error', () => {}) // it says again what the socket said: the device is gone
    lines.on('line', line => {
      const request = requestSchema.safeParse(parsed(line))
      if (!request.success) return
      const { id, link, takes } = request.data
      air.ask(`${device} ${link}`, takes, wait => socket.write(`${JSON.stringify({ id, wait })}\n`))
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the arbiter has no address')
  return {
    address: `127.0.0.1:${bound.port}`,
    busy: () => air.busy,
    [Symbol.asyncDispose]: async () => {
      air.close()
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

/** The last line of a device that was killed may be half of one. */
const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/**
 * A link that asks this soon after its last frame had gone, or after it was told so where that was later, was waiting for that: it is in
 * the choice of who is next, and nobody else is late for it, since what is chosen started when the air became free.
 */
const PROMPT = 0.002
/** Timers of the system wake at once when asked for more than 24 days. */
const LONGEST = 86_400

interface Request {
  readonly takes: number
  readonly askedAt: number
  /** Sending starts after so many seconds; or has, by those that it is below 0. */
  readonly grant: (wait: number) => void
}

class SharedAir {
  readonly #clock: Clock
  readonly #waiting = new FairQueue<Request>()
  /** Requests that wait, by sharer. */
  readonly #counts = new Map<string, number>()
  #last: string | undefined
  #free = 0
  /** When the last grant was told: a short frame had gone by then. */
  #told = 0
  #timer = new AbortController()
  /** Seconds given out so far. */
  busy = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ask(sharer: string, takes: number, grant: (wait: number) => void): void {
    const granted = (wait: number): void => {
      this.#count(sharer, -1)
      this.#last = sharer
      grant(wait)
    }
    this.#count(sharer, 1)
    this.#waiting.push(sharer, takes, { takes, askedAt: this.#clock.now(), grant: granted })
    this.#serve()
  }

  close(): void {
    this.#timer.abort()
  }

  #count(sharer: string, change: number): void {
    const count = (this.#counts.get(sharer) ?? 0) + change
    if (count === 0) this.#counts.delete(sharer)
    else this.#counts.set(sharer, count)
  }

  #serve(): void {
    while (this.#counts.size > 0) {
      const now = this.#clock.now()
      const mayComeAgain = this.#last !== undefined && !this.#counts.has(this.#last)
      const known = Math.max(this.#free, this.#told)
      const chosenAt = mayComeAgain ? known + PROMPT : this.#free
      if (now < chosenAt) {
        this.#serveIn(chosenAt - now)
        return
      }
      const { takes, askedAt, grant } = this.#waiting.pop()!
      const starts = this.#free > 0 && askedAt - known < PROMPT ? this.#free : askedAt
      this.#free = starts + takes
      this.#told = now
      this.busy += takes
      grant(starts - now)
    }
  }

  #serveIn(wait: number): void {
    this.#timer.abort()
    this.#timer = new AbortController()
    const { signal } = this.#timer
    const until = seconds(Math.min(LONGEST, wait))
    this.#clock.sleep(until, { signal }).then(
      () => this.#serve(),
      () => {}
    )
  }
}
