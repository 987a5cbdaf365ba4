/** On each side of the ring. */
const NEIGHBOURS = 3

/**
 * Whom a device watches: of all that are there, in a ring by their ids, the next few on either side. So each is watched by as many as it
 * watches, however large the cluster is; and of those that are taken away together hardly any has no neighbour left, as ids are random.
 */
export const watchedPeers = <Id extends string>(self: Id, peers: Iterable<Id>): ReadonlySet<Id> => {
  const others = [...peers].sort()
  if (others.length <= 2 * NEIGHBOURS) return new Set(others)
  const after = others.findIndex(peer => peer > self)
  const place = after === -1 ? others.length : after
  const neighbours = Array.from({ length: 2 * NEIGHBOURS }, (_, i) => place - NEIGHBOURS + i)
  return new Set(neighbours.map(at => others[(at + others.length) % others.length]!))
}
