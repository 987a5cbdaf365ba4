import { PROBE } from '../../cluster/learnt-rate.ts'
import type { Clock } from '../../core/clock.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import type { ControlSender } from './control-sender.ts'
import type { LinkMeter } from './link-meter.ts'
import type { TaskSender } from './task-sender.ts'

export interface LinkProbeParts {
  readonly clock: Clock
  readonly meter: LinkMeter
  readonly control: ControlSender
  readonly tasks: TaskSender
  readonly shaper: () => LinkShaper | undefined
}

interface SentPing {
  readonly at: Seconds
  /** No frames were on their way. */
  readonly alone: boolean
}

/** Pings that are not answered yet, at most; older ones are given up. */
const MAX_PINGS = 32

/** Round trips before the rate is measured: the first ones open streams and warm code, and would be taken off it. */
const WARM_UP = 4

/**
 * Round trips by pings. The rate by frames of which only the size matters: once per session, and again where its meter
 * doubts what it knows.
 */
export class LinkProbe {
  readonly #parts: LinkProbeParts
  readonly #sent = new Map<bigint, SentPing>()
  #next = 1n
  #pongs = 0

  constructor(parts: LinkProbeParts) {
    this.#parts = parts
  }

  /**
   * Also a sign of life, and a word whether the peer is watched here. Not while earlier messages wait to be written: it would measure the
   * wait. @returns whether it was sent
   */
  ping(watches = false): boolean {
    const { clock, control, meter } = this.#parts
    if (meter.isDoubtful(clock.now())) {
      meter.doubt(clock.now())
      this.#measure()
    }
    if (control.busy) return false
    const nonce = this.#next++
    if (this.#sent.size >= MAX_PINGS) this.#sent.clear()
    this.#sent.set(nonce, { at: clock.now(), alone: this.#isAlone() })
    return control.send(0n, { case: 'ping', value: { $typeName: 'tributary.v1.Ping', nonce, watches } })
  }

  onPong(nonce: bigint): void {
    const { clock, meter } = this.#parts
    const sent = this.#sent.get(nonce)
    if (sent === undefined) return
    this.#sent.delete(nonce)
    meter.pong(seconds(clock.now() - sent.at), sent.alone && this.#isAlone())
    this.#pongs++
    if (this.#pongs < WARM_UP) this.ping()
    if (this.#pongs === WARM_UP) this.#measure()
  }

  /** What is on its way now says nothing about the link. */
  clear(): void {
    this.#sent.clear()
  }

  /** On a shaped link nothing that is small is behind frames. */
  #isAlone(): boolean {
    return this.#parts.tasks.idle || this.#parts.shaper() !== undefined
  }

  #measure(): void {
    const body = { case: 'probe', value: { $typeName: 'tributary.v1.Probe' } } as const
    for (const size of PROBE) {
      this.#parts.tasks.send(body, [{ name: '', type: 'uint8', dims: [size], data: new Uint8Array(size) }])
    }
  }
}
