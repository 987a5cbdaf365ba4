import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { type PlacementEntry, PlacementHistory } from '../../cluster/placement-history.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import type { WholeModels } from '../../core/whole-models.ts'
import type { Foresee, Outlook } from '../../planner/outlook.ts'
import type { NamedProblem, OutlookChange } from '../../planner/outlook-change.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { problemOfView } from '../cluster/problem-of-view.ts'
import { sourcesFromWire } from '../cluster/source-codec.ts'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'
import { sourceNamesIn } from './source-names-in.ts'

export interface PlanDeskParts {
  readonly clock: Clock
  readonly view: ClusterView
  readonly wholeModels: WholeModels
  readonly foresee: Foresee | undefined
  /** Results per second of all sources. */
  readonly rate: () => number
}

/** A placement for people: names, bytes, seconds. */
export interface PlacementRecord {
  readonly epoch: number
  readonly planner: string
  /** Seconds since it came. */
  readonly age: number
  readonly came: readonly string[]
  readonly left: readonly string[]
  /** Null of the first that this device saw. */
  readonly moves:
    | readonly {
        readonly device: string
        readonly model: string
        readonly loads: readonly number[]
        readonly drops: readonly number[]
        readonly bytes: number
      }[]
    | null
  /** What the planner reckoned with, in times of all demands: where blocks were, at best, and what nothing exceeds. */
  readonly foreseen: { readonly before: number | null; readonly best: number; readonly most: number } | null
  /** Results per second of all sources when it came, and once it had time to show. */
  readonly rateBefore: number
  readonly rateAfter: number | null
}

/** Of one shape, measures stand in one order. */
export interface Stand {
  readonly shape: string
  /** Speeds, and rates of links. */
  readonly measures: readonly number[]
}

/** What people want to know of plans: which there were, what they brought, what limits the cluster, what would be if. */
export class PlanDesk {
  readonly #parts: PlanDeskParts
  readonly #history = new PlacementHistory()

  constructor(parts: PlanDeskParts) {
    this.#parts = parts
  }

  adopted(placement: NumberedPlacement): void {
    this.#history.note(placement, this.#parts.clock.now(), this.#parts.rate())
  }

  tick(): void {
    this.#history.tick(this.#parts.clock.now(), this.#parts.rate)
  }

  /** The latest first. */
  history(): readonly PlacementRecord[] {
    return this.#history.entries().map(entry => this.#record(entry))
  }

  /** By the bytes of its blocks: name of the model, then block. */
  blockBytes(): Readonly<Record<string, readonly number[]>> {
    const { view } = this.#parts
    return Object.fromEntries(
      view.manifests().map(({ id, blocks }) => [view.labelOf(id), blocks.map(block => block.bytes)])
    )
  }

  /** Disturbs no plan. @throws Error in words, where it cannot be computed */
  foresee(change?: OutlookChange): Promise<Outlook> {
    const { foresee } = this.#parts
    if (foresee === undefined) return Promise.reject(new Error('this device cannot plan'))
    return foresee({ ...this.#named(), ...(change === undefined ? {} : { change }) })
  }

  /** Of what an outlook is: who is there with what, and what was measured of it. */
  stand(): Stand {
    const { problem } = this.#named()
    const { devices, models, sources, links, carried } = problem
    const shape = JSON.stringify([
      devices.map(({ id, memory }) => [id, memory]),
      models.map(({ id }) => id),
      sources,
      links.map(({ from, to }) => [from, to]),
      [...carried].map(([id, of]) => [id, [...of]])
    ])
    return { shape, measures: [...devices.map(({ speed }) => speed), ...links.map(({ rate }) => rate)] }
  }

  #named(): NamedProblem {
    const { view, wholeModels } = this.#parts
    const problem = problemOfView(view, wholeModels)
    return {
      problem,
      names: {
        devices: problem.devices.map(({ id }) => view.nameOf(id)),
        models: problem.models.map(({ id }) => view.labelOf(id)),
        sources: view.planned().flatMap(state => this.#sourcesOf(state, problem.models))
      }
    }
  }

  /** Those that the problem has, in its order. */
  #sourcesOf(state: DeviceState, models: readonly { readonly id: ModelId }[]): readonly string[] {
    const { view } = this.#parts
    const device = deviceId(state.device)
    const names = sourceNamesIn(state.status)
    const counted = state.sources.flatMap(({ uncounted }, i) => (uncounted ? [] : [names[i] ?? `source ${i}`]))
    return sourcesFromWire(state).flatMap(({ model, modelId }, i) => {
      const meant = modelId ?? view.models.resolve(model, device)?.id
      return models.some(({ id }) => id === meant) ? [`${counted[i]}@${view.nameOf(device)}`] : []
    })
  }

  #record({ placement, at, changes, came, left, rateBefore, rateAfter }: PlacementEntry): PlacementRecord {
    const { view, clock } = this.#parts
    const name = (device: DeviceId): string => view.nameOf(device)
    const { epoch, planner, foreseen } = placement
    return {
      ...{ epoch, planner: name(planner), age: clock.now() - at },
      ...{ came: came.map(name), left: left.map(name) },
      moves:
        changes?.map(({ device, model, loads, drops }) => ({
          ...{ device: name(device), model: view.labelOf(model), loads, drops },
          bytes: loads.reduce((sum, block) => sum + (view.manifest(model)?.blocks[block]?.bytes ?? 0), 0)
        })) ?? null,
      foreseen:
        foreseen === undefined ? null : { before: foreseen.before ?? null, best: foreseen.best, most: foreseen.most },
      ...{ rateBefore, rateAfter: rateAfter ?? null }
    }
  }
}
