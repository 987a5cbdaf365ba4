import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'

type Said = Pick<DeviceState, 'incarnation' | 'sequence' | 'life'>

/**
 * Whether `a` was said after `b`, by the same device or by a later process in its place.
 * @param life of the process that is there: its word is newer than that of another, whatever their numbers. A copy of the device,
 *   which was left out, may have had larger ones. @default 0: not known
 */
export const isNewerState = (a: Said, b: Said, life = 0n): boolean => {
  const isOfAnother = (said: Said): boolean => life !== 0n && said.life !== 0n && said.life !== life
  if (isOfAnother(b) && !isOfAnother(a)) return true
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.sequence > b.sequence)
}
