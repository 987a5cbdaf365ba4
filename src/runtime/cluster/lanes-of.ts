import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'

const MOST_LANES = 256

/** What is believed of the lanes that a device says it has; of one that says nothing, or more than any has. */
export const lanesOf = ({ lanes }: Pick<DeviceState, 'lanes'>): number => Math.min(MOST_LANES, Math.max(1, lanes))
