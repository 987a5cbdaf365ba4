import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { ClusterView } from './cluster-view.ts'

export interface PlacementReminderParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly tell: (device: DeviceId, placement: NumberedPlacement) => void
}

/** How long devices may take to be ready for a placement before they are told of it again. */
const PATIENCE: Seconds = seconds(5)

/** A notice is told at most once: who is not ready for our placement after a while may not have heard of it. */
export class PlacementReminder {
  readonly #parts: PlacementReminderParts
  #dueAt: Seconds = seconds(0)

  constructor(parts: PlacementReminderParts) {
    this.#parts = parts
  }

  /** Everybody has just been told. */
  told(): void {
    this.#dueAt = seconds(this.#parts.clock.now() + PATIENCE)
  }

  /** Called often, with the placement in force, whoever made it. */
  tick(placement: NumberedPlacement | undefined): void {
    const { clock, view, tell } = this.#parts
    if (placement?.planner !== view.self || clock.now() < this.#dueAt) return
    this.told()
    for (const { device, readyEpoch } of view.staying())
      if (device !== view.self && Number(readyEpoch) < placement.epoch) tell(deviceId(device), placement)
  }
}
