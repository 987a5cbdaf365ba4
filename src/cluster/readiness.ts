import type { DeviceId } from '../core/ids.ts'
import { blocksOf } from '../core/progress.ts'
import type { World } from '../core/world.ts'
import { fastestWay } from '../scheduler/fastest-way.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

/** A device that stays, and the newest placement for which it has said that it is ready. */
export interface Ready {
  readonly id: DeviceId
  readonly readyEpoch: number
}

/** Whether each of them is in the placement and has loaded what it asks. */
export const areReady = (staying: readonly Ready[], current: NumberedPlacement | undefined): boolean =>
  current !== undefined &&
  staying.every(({ id, readyEpoch }) => current.placement.has(id) && readyEpoch >= current.epoch)

/** The first block of a model that no device is there to compute for a source on `home`; undefined: data can be computed. */
export const missingBlock = (world: World, model: number, home: number): number | undefined => {
  for (let k = 0; k < blocksOf(world, model); k++)
    if (!world.devices.some((_, n) => world.mayRun(n, model, k, home))) return k
  return undefined
}

/** Whether a datum of a source on `home` gets to all its blocks and back: links are known a moment after who is at their ends. */
export const hasWay = (world: World, model: number, home: number): boolean =>
  typeof fastestWay(world, home, { model, done: 0, home }) !== 'number'
