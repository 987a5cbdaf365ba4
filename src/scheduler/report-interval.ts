import { type Seconds, seconds } from '../core/units.ts'
import type { World } from '../core/world.ts'

/** How often devices tell each other how they stand. */
const INTERVAL: Seconds = seconds(0.1)
/** Reports of one device per second, to all others together: of so many devices that each tells each, less often. */
const MOST: number = 100

/** Between two reports of a device: what a cluster says per device does not grow with its number of devices. */
export const reportInterval = (world: World): Seconds => {
  let others = -1
  for (const { up } of world.devices) if (up) others++
  return seconds(Math.max(INTERVAL, others / MOST))
}
