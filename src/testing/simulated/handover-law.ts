import { type DeviceId, deviceId } from '../../core/ids.ts'
import type { Notice, Task } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { ProcessClock } from './process-clock.ts'

export interface HandoverLawParts {
  readonly clock: ProcessClock
  readonly self: DeviceId
  /** Whether a device can be told anything now. */
  readonly isConnected: (device: DeviceId) => boolean
  readonly isStopping: () => boolean
  readonly broken: (law: string) => void
}

const AT_ONCE = 0.01

/**
 * Who gave a datum of another device to one that is lost tells its home at once: the lost one may have died before it could
 * say that it had the datum.
 */
export class HandoverLaw {
  readonly #parts: HandoverLawParts
  readonly #given = new Map<DeviceId, Map<string, DeviceId>>()
  /** What it has told homes to be lost. */
  readonly #told = new Set<string>()

  constructor(parts: HandoverLawParts) {
    this.#parts = parts
  }

  handed(to: DeviceId, { source, datum, attempt, home }: Task): void {
    if (home === this.#parts.self || home === to) return
    const given = this.#given.get(to) ?? new Map<string, DeviceId>()
    this.#given.set(to, given.set(`${source} ${datum} ${attempt}`, deviceId(home)))
  }

  told(_: DeviceId, { body }: Notice): void {
    if (body.case !== 'lost') return
    const { source, datum, attempt, device } = body.value
    this.#told.add(`${source} ${datum} ${attempt} ${device}`)
  }

  peerLost(peer: DeviceId): void {
    const { clock, isConnected, isStopping, broken } = this.#parts
    const given = [...(this.#given.get(peer) ?? [])].filter(([, home]) => isConnected(home))
    this.#given.delete(peer)
    clock.after(AT_ONCE, () => {
      for (const [what, home] of given)
        if (!isStopping() && isConnected(home) && !this.#told.has(`${what} ${peer}`))
          broken(`${what} was given to ${peer}, which is lost, and ${home} was not told`)
    })
  }
}
