import type { PathQuery } from './path-query.ts'

/**
 * Seconds that a datum waits for a lane of a device when it gets there after `elapsed`. With as many others under way as there are
 * lanes but one, it waits for none: so much of what the device has to do stands in nobody's way.
 *
 * @param takes seconds of its block: the others are taken to be like it
 */
export const waitToRun = ({ world, waiting }: PathQuery, device: number, takes: number, elapsed: number): number => {
  if (waiting === undefined) return 0
  const { resource, lanes } = world.devices[device]!
  return Math.max(0, waiting.until(resource) - elapsed - takes * (1 - 1 / lanes))
}
