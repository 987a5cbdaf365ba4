import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'

type Said = Pick<DeviceState, 'incarnation' | 'sequence'>

/** Whether `a` was said after `b`, by the same device or by a later process in its place. */
export const isNewerState = (a: Said, b: Said): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.sequence > b.sequence)
