import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { bytes, type Seconds, seconds } from '../../core/units.ts'
import type { Place, PlacementProblem } from '../../planner/placement.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { ClusterView } from './cluster-view.ts'
import type { NumberedPlacement } from './placement-codec.ts'

export interface PlannerSeatParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly place: Place
  readonly publish: (placement: NumberedPlacement) => void
}

/** Joins and departures come in bursts; one plan for all of them. */
const SETTLE: Seconds = seconds(0.4)

/**
 * One device plans for all: of those that are up and can plan, the one with the smallest id. Every device runs this and
 * sees for itself whether the seat is its own; when two believe so for a moment, the placement with the larger epoch,
 * or the smaller planner, wins everywhere (see placement-codec.ts).
 */
export class PlannerSeat {
  readonly #parts: PlannerSeatParts
  #planned: { readonly problem: string; readonly placement: NumberedPlacement } | undefined
  #changedAt: Seconds | undefined

  constructor(parts: PlannerSeatParts) {
    this.#parts = parts
  }

  isMine(): boolean {
    const planner = this.#parts.view.members().find(state => state.canPlan)
    return planner?.device === this.#parts.view.self
  }

  /** Called often. Plans when the problem has changed and has been still for a moment. */
  tick(current: NumberedPlacement | undefined): void {
    if (!this.isMine()) {
      this.#planned = undefined
      return
    }
    const problem = this.#problem()
    const key = keyOf(problem)
    if (problem.models.length === 0 || (this.#planned?.problem === key && current?.planner === this.#parts.view.self))
      return
    if (!this.#isSettled(key)) return
    const outcome = this.#parts.place(problem)
    const placement = { epoch: (current?.epoch ?? 0) + 1, planner: this.#parts.view.self, ...outcome }
    this.#planned = { problem: key, placement }
    this.#parts.publish(placement)
  }

  #pending: string | undefined

  #isSettled(key: string): boolean {
    const now = this.#parts.clock.now()
    if (this.#pending !== key) {
      this.#pending = key
      this.#changedAt = now
    }
    return now - this.#changedAt! >= SETTLE
  }

  #problem(): PlacementProblem {
    const { view } = this.#parts
    const members = view.members()
    return {
      devices: members.map(state => ({
        id: deviceId(state.device),
        speed: state.speed,
        memory: bytes(state.memory === 0n ? Number.POSITIVE_INFINITY : Number(state.memory))
      })),
      models: view.manifests().map(({ id, blocks }) => ({ id, blocks })),
      carried: new Map(members.map(state => [deviceId(state.device), carriedBy(state)]))
    }
  }
}

const carriedBy = (state: DeviceState) =>
  new Map(state.models.map(({ model, blocks }) => [modelId(model), blocks.map(({ block }) => block)] as const))

/** Who is there, how fast to the nearest tenth of itself, with how much memory, for which models. Not what is carried. */
const keyOf = ({ devices, models }: PlacementProblem): string => {
  const rough = (speed: number): number => Math.round(Math.log(speed) / Math.log(1.2))
  const members = devices.map(({ id, speed, memory }): [DeviceId, number, number] => [id, rough(speed), memory])
  return JSON.stringify([members, models.map(model => model.id)])
}
