import type { DeviceId, ModelId } from '../core/ids.ts'
import type { Placement } from './placement.ts'

/** Whether the device carries the block. */
export const isPlaced = (
  placement: Placement,
  device: DeviceId,
  { model, block }: { readonly model: ModelId; readonly block: number }
): boolean => placement.get(device)?.get(model)?.includes(block) === true
