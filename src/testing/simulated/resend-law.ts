import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { AttemptTokens } from '../../runtime/dispatch/attempt-tokens.ts'
import type { Notice } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { ProcessClock } from './process-clock.ts'

export interface ResendLawParts {
  readonly clock: ProcessClock
  readonly self: DeviceId
  /** Of this start: an attempt of the home's former life may have the same number. */
  readonly tokens: AttemptTokens
  /** There may be a reason not to send anything now. */
  readonly isExcused: () => boolean
  readonly broken: (law: string) => void
}

interface Sent {
  readonly attempt: number
  holder: DeviceId
  /** All that have had it. */
  readonly holders: Set<DeviceId>
  /** Something has happened since that may be a reason to send it again. */
  mayGoAgain: boolean
  /** When a message about an earlier attempt came. */
  oldNewsAt: number
}

/** Items are read in no time. */
const AT_ONCE = 1
/** So soon after old news nothing else is the reason. */
const SOON = 0.02

/**
 * A datum goes out again at once when its home hears, or is told, that whoever has it is lost. Seen from the network: who has it is whoever
 * said so last, of this attempt. What goes out again only because nothing was heard for too long is late, and breaks it.
 */
export class ResendLaw {
  readonly #parts: ResendLawParts
  readonly #sent = new Map<string, Sent>()

  constructor(parts: ResendLawParts) {
    this.#parts = parts
  }

  submitted(source: string, datum: number, attempt: number): void {
    const { self } = this.#parts
    const key = `${source} ${datum}`
    this.#refuseOldNews(key)
    const holders = new Set([self])
    this.#sent.set(key, { attempt, holder: self, holders, mayGoAgain: false, oldNewsAt: Number.NEGATIVE_INFINITY })
  }

  /** More data are out than the window has. */
  tooMany(source: string, out: number, window: number): void {
    this.#parts.broken(`${source} has ${out} data under way, its window is ${window}`)
  }

  /** It has come home, or failed: nothing is expected of it until it goes out again. */
  cameBack(source: string, datum: number): void {
    this.#sent.delete(`${source} ${datum}`)
  }

  heard(from: DeviceId, { body }: Notice): void {
    if (body.case !== 'custody' && body.case !== 'lost' && body.case !== 'failure') return
    const { source, datum, attempt, token } = body.value
    const key = `${source} ${datum}`
    const sent = this.#sent.get(key)
    if (sent === undefined) return
    if (attempt < sent.attempt) sent.oldNewsAt = this.#parts.clock.now()
    if (attempt !== sent.attempt || !this.#parts.tokens.isOf({ source, datum: Number(datum), attempt }, token)) return
    if (body.case === 'custody') {
      sent.holder = from
      sent.holders.add(from)
      return
    }
    sent.mayGoAgain = true
    if (body.case === 'lost' && body.value.device !== from) this.#reported(key, sent, deviceId(body.value.device))
  }

  /** It is old news where the lost device is known to have passed it on. */
  #reported(key: string, { holder, holders, attempt }: Sent, device: DeviceId): void {
    if (holder === device || !holders.has(device)) this.#expect(key, attempt, `was given to ${device}`)
  }

  peerLost(peer: DeviceId): void {
    for (const [key, sent] of this.#sent) {
      sent.mayGoAgain = true
      if (sent.holder === peer) this.#expect(key, sent.attempt, `was on ${peer}`)
    }
  }

  /** The source looks after what is under way: whatever goes out in this moment may have been silent for too long. */
  ticked(): void {
    for (const sent of this.#sent.values()) sent.oldNewsAt = Number.NEGATIVE_INFINITY
  }

  /** A message about an earlier attempt says nothing of this one. */
  #refuseOldNews(key: string): void {
    const before = this.#sent.get(key)
    if (before === undefined || before.mayGoAgain || this.#parts.clock.now() - before.oldNewsAt > SOON) return
    this.#parts.broken(`${key} goes out again for a message about an earlier attempt`)
  }

  #expect(key: string, attempt: number, where: string): void {
    const { clock, isExcused, broken } = this.#parts
    clock.after(AT_ONCE, () => {
      if (this.#sent.get(key)?.attempt === attempt && !isExcused())
        broken(`${key} ${where}, which is lost, and has not gone out again ${AT_ONCE} s later`)
    })
  }
}
