import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'

/** Whether `a` was said after `b`, by the same device or by a later process in its place. */
export const isNewerState = (a: DeviceState, b: DeviceState): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.sequence > b.sequence)
