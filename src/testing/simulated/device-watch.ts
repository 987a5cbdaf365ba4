import type { DeviceId } from '../../core/ids.ts'
import type { DeviceState, Notice, Task } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { HandoverLaw } from './handover-law.ts'
import type { NetworkWatch } from './memory-network.ts'
import type { ProcessClock } from './process-clock.ts'
import type { ResendLaw } from './resend-law.ts'

export interface DeviceWatchParts {
  readonly resend: ResendLaw
  readonly clock: ProcessClock
  readonly self: DeviceId
  readonly isConnected: (device: DeviceId) => boolean
  readonly isStopping: () => boolean
  /** How many blocks a model has. */
  readonly blocksOf: (model: string) => number | undefined
  readonly broken: (law: string) => void
}

/** The laws of one process that its network shows. */
export class DeviceWatch implements NetworkWatch {
  readonly #parts: DeviceWatchParts
  readonly #handovers: HandoverLaw
  #readyEpoch = 0n

  constructor(parts: DeviceWatchParts) {
    this.#parts = parts
    this.#handovers = new HandoverLaw(parts)
  }

  heard(from: DeviceId, notice: Notice): void {
    this.#parts.resend.heard(from, notice)
  }

  peerLost(peer: DeviceId): void {
    this.#parts.resend.peerLost(peer)
    this.#handovers.peerLost(peer)
  }

  told(to: DeviceId, notice: Notice): void {
    this.#handovers.told(to, notice)
  }

  handed(to: DeviceId, task: Task): void {
    this.#handovers.handed(to, task)
  }

  /** Who stops takes no more work; its own results it takes until it has stopped. */
  refused({ home, model, done, source, datum }: Task, because: string): void {
    const { self, isStopping, blocksOf, broken } = this.#parts
    if (home === self && isStopping() && done === blocksOf(model) && because.includes('stopping'))
      broken(`the result of ${source} ${datum} is refused while it stops`)
  }

  /** Of placements a device follows the newest that it has heard of. */
  published({ readyEpoch }: DeviceState): void {
    if (readyEpoch < this.#readyEpoch)
      this.#parts.broken(`it goes back from placement ${this.#readyEpoch} to ${readyEpoch}`)
    this.#readyEpoch = readyEpoch
  }
}
