import type { DeviceId } from '../core/ids.ts'

/** So many devices are not all wrong where one and the same says so. */
const TOO_MANY = 3
/** Of one device, that are remembered. */
const MOST_HIDDEN = 16

/**
 * Who is to blame where what a device passed on is not what others compute. What it passed on is known from who received it: this
 * device itself, whose word settles it, or another, which may have altered it. Of two that may be, it is the one who
 * computed; unless the other says so of device after device, of which nobody else does. Pure.
 */
export class AuditSuspects {
  /** By who received, whom it accuses; of this device nothing is kept. */
  readonly #accused = new Map<DeviceId, Set<DeviceId>>()
  /** Known for itself. */
  readonly #proven = new Set<DeviceId>()
  /** By who did not show what it had been given, where something was wrong since: who had the datum before, each time. */
  readonly #hidden = new Map<DeviceId, readonly DeviceId[]>()

  /** @param receiver undefined: this device @returns whose fault it is */
  deviates(device: DeviceId, receiver: DeviceId | undefined): DeviceId {
    if (receiver === undefined) {
      this.#proven.add(device)
      return device
    }
    const accused = this.#accused.get(receiver) ?? new Set()
    this.#accused.set(receiver, accused.add(device))
    const alone = [...accused].filter(one => !this.#proven.has(one) && !this.#isAccusedElsewhere(one, receiver))
    return alone.length >= TOO_MANY && alone.includes(device) ? receiver : device
  }

  /**
   * Something is wrong, and `device` does not show what it was given: it may have had no room to keep it, and whoever had the datum
   * before may be the one who is wrong. Alone that is no fault. It is where it happens again, and not always after the same
   * other device.
   * @param before who had it before and shows what it was given; `device` itself where that is nobody @returns whether it is its fault
   */
  hides(device: DeviceId, before: DeviceId): boolean {
    const seen = [...(this.#hidden.get(device) ?? []), before].slice(-MOST_HIDDEN)
    this.#hidden.set(device, seen)
    const isBetweenTwo = seen.every(other => other === seen[0] && other !== device)
    return seen.length >= TOO_MANY && !isBetweenTwo
  }

  /** It is gone for good. Another process in its place is no reason: whoever was caught could begin anew. */
  forget(device: DeviceId): void {
    this.#accused.delete(device)
    this.#proven.delete(device)
    this.#hidden.delete(device)
    for (const accused of this.#accused.values()) accused.delete(device)
  }

  #isAccusedElsewhere(device: DeviceId, receiver: DeviceId): boolean {
    return [...this.#accused].some(([other, accused]) => other !== receiver && accused.has(device))
  }
}
