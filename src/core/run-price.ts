import type { PathQuery } from './path-query.ts'

/**
 * What a second of running on a device costs a datum. Of several lanes it uses one, and so a part of the device's time; for the rest of
 * that second it is only late, as it is by a link's latency.
 */
export const runPrice = ({ world, price, latencyPrice }: PathQuery, device: number): number => {
  const { resource, lanes } = world.devices[device]!
  return lanes === 1 ? price(resource) : price(resource) / lanes + latencyPrice * (1 - 1 / lanes)
}
