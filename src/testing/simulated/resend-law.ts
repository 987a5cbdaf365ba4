import type { DeviceId } from '../../core/ids.ts'
import type { Notice } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { ProcessClock } from './process-clock.ts'

export interface ResendLawParts {
  readonly clock: ProcessClock
  readonly self: DeviceId
  /** There may be a reason not to send anything now. */
  readonly isExcused: () => boolean
  readonly broken: (law: string) => void
}

/** Items are read in no time. */
const AT_ONCE = 1

/**
 * A datum goes out again at once when its home hears that whoever has it is lost. Seen from the network: who has it is whoever
 * said so last, of this attempt. What goes out again only because nothing was heard for too long is late, and breaks it.
 */
export class ResendLaw {
  readonly #parts: ResendLawParts
  readonly #sent = new Map<string, { attempt: number; holder: DeviceId }>()

  constructor(parts: ResendLawParts) {
    this.#parts = parts
  }

  submitted(source: string, datum: number, attempt: number): void {
    this.#sent.set(`${source} ${datum}`, { attempt, holder: this.#parts.self })
  }

  /** It has come home, or failed: nothing is expected of it until it goes out again. */
  cameBack(source: string, datum: number): void {
    this.#sent.delete(`${source} ${datum}`)
  }

  heard(from: DeviceId, { body }: Notice): void {
    if (body.case !== 'custody') return
    const { source, datum, attempt } = body.value
    const sent = this.#sent.get(`${source} ${datum}`)
    if (sent?.attempt === attempt) sent.holder = from
  }

  peerLost(peer: DeviceId): void {
    const { clock, isExcused, broken } = this.#parts
    for (const [key, { holder, attempt }] of this.#sent) {
      if (holder !== peer) continue
      clock.after(AT_ONCE, () => {
        if (this.#sent.get(key)?.attempt === attempt && !isExcused())
          broken(`${key} was on ${peer}, which is lost, and has not gone out again ${AT_ONCE} s later`)
      })
    }
  }
}
