import type { DeviceId, ModelId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Placement } from '../planner/placement.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

export interface PlacementChange {
  readonly device: DeviceId
  readonly model: ModelId
  readonly loads: readonly number[]
  readonly drops: readonly number[]
}

/** One placement, as this device saw it come. */
export interface PlacementEntry {
  readonly placement: NumberedPlacement
  readonly at: Seconds
  /** Against the one before; undefined of the first that this device saw. */
  readonly changes: readonly PlacementChange[] | undefined
  /** Devices that are placed on and were not, and the other way round. */
  readonly came: readonly DeviceId[]
  readonly left: readonly DeviceId[]
  /** Results per second of all sources, by then. */
  readonly rateBefore: number
  /** The same once it had time to show; undefined until then, and where another came before that. */
  rateAfter: number | undefined
}

const MOST = 50
/** A rate is of ten seconds, and blocks take their time to move. */
const SHOWS_AFTER: Seconds = seconds(25)

/** The placements of late, what each moved, and what it brought. */
export class PlacementHistory {
  #entries: PlacementEntry[] = []

  /** The latest first. */
  entries(): readonly PlacementEntry[] {
    return this.#entries
  }

  /** @param rate results per second of all sources, now */
  note(placement: NumberedPlacement, at: Seconds, rate: number): void {
    const before = this.#entries[0]?.placement.placement
    const devices = (of: Placement | undefined): readonly DeviceId[] => [...(of?.keys() ?? [])]
    const missingIn = (of: Placement | undefined, all: readonly DeviceId[]): DeviceId[] =>
      of === undefined ? [] : all.filter(device => !of.has(device))
    const entry: PlacementEntry = {
      ...{ placement, at, rateBefore: rate, rateAfter: undefined },
      changes: before === undefined ? undefined : changesBetween(before, placement.placement),
      came: missingIn(before, devices(placement.placement)),
      left: missingIn(placement.placement, devices(before))
    }
    this.#entries = [entry, ...this.#entries].slice(0, MOST)
  }

  /** Called often. @param rate asked for only when it is time */
  tick(now: Seconds, rate: () => number): void {
    const [latest] = this.#entries
    if (latest?.rateAfter === undefined && latest !== undefined && now - latest.at >= SHOWS_AFTER)
      latest.rateAfter = rate()
  }
}

const changesBetween = (before: Placement, after: Placement): readonly PlacementChange[] =>
  [...new Set([...before.keys(), ...after.keys()])].flatMap(device => {
    const [had, has] = [before.get(device), after.get(device)]
    const models = new Set([...(had?.keys() ?? []), ...(has?.keys() ?? [])])
    return [...models].flatMap(model => {
      const [old, now] = [new Set(had?.get(model)), new Set(has?.get(model))]
      const loads = [...now].filter(block => !old.has(block))
      const drops = [...old].filter(block => !now.has(block))
      return loads.length + drops.length === 0 ? [] : [{ device, model, loads, drops }]
    })
  })
