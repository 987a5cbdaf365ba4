import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { bytes, bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { WholeModels } from '../../core/whole-models.ts'
import { demandOf } from '../../planner/demand-of.ts'
import { isSamePlacement } from '../../planner/is-same-placement.ts'
import type {
  Place,
  PlacementLink,
  PlacementModel,
  PlacementOutcome,
  PlacementProblem
} from '../../planner/placement.ts'
import { ReplanRule } from '../../planner/replan-rule.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import type { ClusterView } from './cluster-view.ts'
import type { NumberedPlacement } from './placement-codec.ts'
import { sourcesFromWire } from './source-codec.ts'

export interface PlannerSeatParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly view: ClusterView
  readonly place: Place
  readonly wholeModels: WholeModels
  /** Connected devices; of each a state is to come. */
  readonly connected: () => Iterable<DeviceId>
  readonly publish: (placement: NumberedPlacement) => void
}

/** A device whose state or model does not come for so long is planned without. */
const PATIENCE: Seconds = seconds(3)
/** After a plan that failed. */
const REST: Seconds = seconds(2)

/**
 * One device plans for all that stay: of those that stay and can plan, the one with the smallest id. Every device runs this and
 * sees for itself whether the seat is its own; when two believe so for a moment, the placement with the larger epoch,
 * or the smaller planner, wins everywhere (see placement-codec.ts).
 */
export class PlannerSeat {
  readonly #parts: PlannerSeatParts
  readonly #rule = new ReplanRule()
  #planning = false
  #notBefore: Seconds = seconds(0)
  #strangersSince: Seconds | undefined

  constructor(parts: PlannerSeatParts) {
    this.#parts = parts
  }

  isMine(): boolean {
    const planner = this.#parts.view.staying().find(state => state.canPlan)
    return planner?.device === this.#parts.view.self
  }

  /** Called often. Plans when the problem has changed and has been still for a moment, or has drifted for a while. */
  tick(current: NumberedPlacement | undefined): void {
    if (!this.isMine()) {
      this.#rule.forget()
      this.#strangersSince = undefined
      return
    }
    if (this.#planning || this.#parts.clock.now() < this.#notBefore) return
    const problem = this.#problem()
    if (problem.models.length === 0) return
    const { clock, guard, view } = this.#parts
    if (current !== undefined && current.planner !== view.self) this.#rule.forget()
    if (this.#waitsForStrangers()) return
    if (this.#rule.isDue(problem, clock.now())) void guard.watch('making a plan', this.#plan(problem, current))
  }

  /** Whoever has just come knows others before it has heard what they carry: a plan by then would take that from them. */
  #waitsForStrangers(): boolean {
    const { clock, view, connected } = this.#parts
    const isKnown = [...connected()].every(id => view.isIntroduced(id)) && view.unknownModels().length === 0
    if (isKnown) this.#strangersSince = undefined
    else this.#strangersSince ??= clock.now()
    return this.#strangersSince !== undefined && clock.now() - this.#strangersSince < PATIENCE
  }

  async #plan(problem: PlacementProblem, current: NumberedPlacement | undefined): Promise<void> {
    const outcome = await this.#place(problem)
    if (!this.isMine()) return
    const isDrift = this.#rule.planned(problem)
    if (isDrift && current !== undefined) {
      const changes = !isSamePlacement(outcome.placement, current.placement)
      this.#rule.came(changes)
      if (!changes) return
    }
    this.#parts.publish({ epoch: (current?.epoch ?? 0) + 1, planner: this.#parts.view.self, ...outcome })
  }

  /** One at a time. One that fails is made again after a rest. */
  async #place(problem: PlacementProblem): Promise<PlacementOutcome> {
    this.#planning = true
    try {
      return await this.#parts.place(problem)
    } catch (error) {
      this.#notBefore = seconds(this.#parts.clock.now() + REST)
      throw error
    } finally {
      this.#planning = false
    }
  }

  #problem(): PlacementProblem {
    const { view, wholeModels } = this.#parts
    const members = view.staying()
    const manifests = view.manifests()
    const place = new Map(members.map((state, i) => [deviceId(state.device), i]))
    const speeds = members.map(state => this.#speedOf(state))
    return {
      devices: members.map((state, i) => ({
        id: deviceId(state.device),
        speed: speeds[i]!,
        memory: bytes(state.memory === undefined ? Number.POSITIVE_INFINITY : Number(state.memory))
      })),
      models: manifests.map(({ id, blocks, activations, pinned }) => ({
        id,
        blocks,
        activations: activations.map(a => a.bytes),
        pinned,
        times: timesOf(members, id, blocks.length, speeds)
      })),
      links: members.flatMap((_, from) => this.#linksFrom(members, from, place)),
      sources: members.flatMap((state, device) =>
        sourcesFromWire(state).flatMap(({ model: name, modelId: said, rate }) => {
          // What the source itself takes its name for: a planner that took it for another would place what nobody computes.
          const id = said ?? view.models.resolve(name, deviceId(state.device))?.id
          const model = manifests.findIndex(manifest => manifest.id === id)
          return model === -1 ? [] : [{ device, model, demand: demandOf(rate) }]
        })
      ),
      wholeModels,
      carried: new Map(members.map(state => [deviceId(state.device), carriedBy(state)]))
    }
  }

  /** What its blocks really take, where it has run some; otherwise what it measured at its start. */
  #speedOf(state: DeviceState): number {
    let work = 0
    let time = 0
    for (const { model, blocks, times } of state.models) {
      const manifest = this.#parts.view.manifest(modelId(model))
      for (const { block, seconds: took } of blocks) {
        const nominal = times[block] ?? manifest?.blocks[block]?.work
        if (nominal === undefined || !(took > 0)) continue
        work += nominal
        time += took
      }
    }
    return time > 0 && work > 0 ? work / time : state.speed
  }

  #linksFrom(members: readonly DeviceState[], from: number, place: ReadonlyMap<DeviceId, number>) {
    const { view } = this.#parts
    const { world } = view
    const n = world.deviceIndex(deviceId(members[from]!.device))!
    return world.links[n]!.flatMap(({ to, rate, latency, up, resource }): PlacementLink[] => {
      const other = place.get(world.devices[to]!.id)
      if (other === undefined || !up) return []
      const shared = view.mediumOf(resource) === '' ? {} : { medium: resource }
      return [{ from, to: other, rate: bytesPerSecond(rate), latency, ...shared }]
    })
  }
}

/** By device: what each block takes there now, where that is declared. Absent where no device declares any. */
const timesOf = (
  members: readonly DeviceState[],
  id: ModelId,
  blocks: number,
  speeds: readonly number[]
): PlacementModel['times'] => {
  const all = members.map((state, i) => {
    const times = state.models.find(({ model }) => model === id)?.times ?? []
    const isValid = times.length === blocks && times.every(time => Number.isFinite(time) && time > 0)
    return isValid ? times.map(time => seconds(time / speeds[i]!)) : undefined
  })
  return all.some(times => times !== undefined) ? all : undefined
}

const carriedBy = (state: DeviceState) =>
  new Map(state.models.map(({ model, blocks }) => [modelId(model), blocks.map(({ block }) => block)] as const))
