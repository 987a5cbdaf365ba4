import { formatBytes } from '../core/format-quantity.ts'
import type { DeviceId, ModelId } from '../core/ids.ts'
import { isPlaced } from './is-placed.ts'
import type { PlacementDevice, PlacementModel, PlacementOutcome, PlacementProblem, UnplacedBlock } from './placement.ts'

/**
 * Contiguous blocks in proportion to speed, within memory; then, where memory is left, more copies.
 *
 * 1. Cover: along the model, the fastest device first, each device takes blocks until it has its share of the work
 *    (its speed over all speeds) or its memory is full. Blocks left over go, largest first, wherever they fit. Where one
 *    fits nowhere then, all go again, largest first, each where most is left.
 * 2. Spare memory: each device, in the same order, takes further blocks: those it carries now first, since they cost no
 *    transfer, then those whose carriers have the least speed together.
 *
 * Ties go to the smaller device id, so that every device computes the same placement.
 *
 * @param copies whether there is a second step
 */
export const proportionalPlacement = (
  problem: PlacementProblem,
  { copies = true }: { readonly copies?: boolean } = {}
): PlacementOutcome => {
  const { table, unplaced } = bestCovering(problem)
  if (copies) for (const device of table.devices) fill(table, device, problem.models)
  return { placement: table.placement(), unplaced }
}

interface Covering {
  readonly table: PlacementTable
  readonly unplaced: readonly UnplacedBlock[]
}

/** Which blocks of a model are placed before those that are left over are, largest first. */
type Way = (table: PlacementTable, model: PlacementModel) => void

const bestCovering = (problem: PlacementProblem): Covering => {
  const inProportion = covering(problem, coverInProportion)
  if (inProportion.unplaced.length === 0) return inProportion
  const largestFirst = covering(problem, () => {})
  return largestFirst.unplaced.length < inProportion.unplaced.length ? largestFirst : inProportion
}

const covering = (problem: PlacementProblem, way: Way): Covering => {
  const table = new PlacementTable(problem)
  putPinned(table, problem)
  const unplaced = problem.models.flatMap(model => cover(table, model, way))
  return { table, unplaced }
}

/** Without the last digits of what was measured, in which equal devices differ. */
const ofAllLanes = ({ speed, lanes = 1 }: PlacementDevice): number => Number((speed * lanes).toPrecision(6))

/** What is placed so far, and what memory is left. */
class PlacementTable {
  readonly problem: PlacementProblem
  /** Fastest first. */
  readonly devices: readonly PlacementDevice[]
  readonly #left = new Map<DeviceId, number>()
  readonly #placed = new Map<DeviceId, Map<ModelId, Set<number>>>()

  constructor(problem: PlacementProblem) {
    this.problem = problem
    this.devices = problem.devices.toSorted((a, b) => ofAllLanes(b) - ofAllLanes(a) || (a.id < b.id ? -1 : 1))
    for (const device of this.devices) {
      this.#left.set(device.id, device.memory)
      this.#placed.set(device.id, new Map(problem.models.map(model => [model.id, new Set<number>()])))
    }
  }

  has(device: PlacementDevice, model: PlacementModel, block: number): boolean {
    return this.#placed.get(device.id)!.get(model.id)!.has(block)
  }

  fits(device: PlacementDevice, model: PlacementModel, block: number): boolean {
    return model.blocks[block]!.bytes <= this.#left.get(device.id)!
  }

  left(device: PlacementDevice): number {
    return this.#left.get(device.id)!
  }

  put(device: PlacementDevice, model: PlacementModel, block: number): void {
    this.#placed.get(device.id)!.get(model.id)!.add(block)
    this.#left.set(device.id, this.left(device) - model.blocks[block]!.bytes)
  }

  /** Of all its lanes, relative to the reference machine, for this model: as its blocks were measured there, where they were. */
  speedFor(device: PlacementDevice, { blocks, times }: PlacementModel): number {
    const own = times?.[this.problem.devices.indexOf(device)]
    const { speed, lanes = 1 } = device
    if (own === undefined) return speed * lanes
    return (lanes * blocks.reduce((sum, { work }) => sum + work, 0)) / own.reduce((sum, time) => sum + time, 0)
  }

  isSomewhere(model: PlacementModel, block: number): boolean {
    return this.devices.some(device => this.has(device, model, block))
  }

  /** Speed of all that carry a block. */
  speedBehind(model: PlacementModel, block: number): number {
    return this.devices.reduce(
      (sum, device) => sum + (this.has(device, model, block) ? this.speedFor(device, model) : 0),
      0
    )
  }

  placement(): Map<DeviceId, Map<ModelId, number[]>> {
    const ascending = (blocks: Set<number>): number[] => [...blocks].sort((a, b) => a - b)
    return new Map(
      [...this.#placed].map(([device, models]) => [
        device,
        new Map([...models].map(([model, blocks]) => [model, ascending(blocks)] as const))
      ])
    )
  }
}

/** First blocks that run nowhere but on the devices of their sources. */
const putPinned = (table: PlacementTable, { devices, models, sources }: PlacementProblem): void => {
  for (const { device, model } of sources) {
    const [at, what] = [devices[device]!, models[model]!]
    if (what.pinned === true && !table.has(at, what, 0) && table.fits(at, what, 0)) table.put(at, what, 0)
  }
}

/** Put every block of the model somewhere. @returns the blocks for which there is no room */
const cover = (table: PlacementTable, model: PlacementModel, way: Way): UnplacedBlock[] => {
  way(table, model)
  return [...model.blocks.keys()]
    .filter(block => !table.isSomewhere(model, block))
    .sort((a, b) => model.blocks[b]!.bytes - model.blocks[a]!.bytes || a - b)
    .flatMap(block => {
      const room = table.devices.filter(device => table.fits(device, model, block))
      const roomiest = room.toSorted((a, b) => table.left(b) - table.left(a))[0]
      if (roomiest === undefined) return [noRoom(table, model, block)]
      table.put(roomiest, model, block)
      return []
    })
}

const coverInProportion = (table: PlacementTable, model: PlacementModel): void => {
  const work = model.blocks.reduce((sum, block) => sum + block.work, 0)
  const speed = table.devices.reduce((sum, device) => sum + table.speedFor(device, model), 0)
  let block = table.isSomewhere(model, 0) ? 1 : 0
  for (const device of table.devices) {
    const share = (work * table.speedFor(device, model)) / speed
    let taken = 0
    // Half a block over its share is nearer to it than half a block under.
    while (
      block < model.blocks.length &&
      taken + model.blocks[block]!.work / 2 <= share &&
      table.fits(device, model, block)
    ) {
      taken += model.blocks[block]!.work
      table.put(device, model, block++)
    }
  }
}

const noRoom = (table: PlacementTable, model: PlacementModel, block: number): UnplacedBlock => {
  const needs = formatBytes(model.blocks[block]!.bytes)
  const most = table.devices.reduce((max, device) => Math.max(max, table.left(device)), 0)
  const because = `needs ${needs}, the most that any device has left is ${formatBytes(most)}; raise the memory of one or add a device`
  return { model: model.id, block, because }
}

const fill = (table: PlacementTable, device: PlacementDevice, models: readonly PlacementModel[]): void => {
  const candidates = models.flatMap(model =>
    model.blocks.flatMap((_, block) =>
      table.has(device, model, block)
        ? []
        : [
            {
              model,
              block,
              moved: isPlaced(table.problem.carried, device.id, { model: model.id, block }) ? 0 : 1,
              speed: table.speedBehind(model, block)
            }
          ]
    )
  )
  candidates.sort((a, b) => a.moved - b.moved || a.speed - b.speed || a.block - b.block)
  for (const { model, block } of candidates) if (table.fits(device, model, block)) table.put(device, model, block)
}
