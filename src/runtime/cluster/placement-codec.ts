import { create } from '@bufbuild/protobuf'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { epochOf, NUMBERS, numberOf, termOf } from '../../core/epoch.ts'
import { type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { Foreseen } from '../../planner/placement.ts'
import { type Placement, PlacementSchema, type Foreseen as WireForeseen } from '../generated/tributary/v1/wire_pb.ts'

const MAX_DEVICES = 16_384
const MAX_MODELS = 4096
/** Blocks on devices, in all. */
const MAX_PLACED = 2_000_000
/** Characters. */
const MAX_REASON = 1000

export const placementToWire = ({ epoch, planner, placement, unplaced, foreseen }: NumberedPlacement): Placement => {
  const models = new Set<ModelId>([...placement.values()].flatMap(m => [...m.keys()]))
  for (const { model } of unplaced) models.add(model)
  return create(PlacementSchema, {
    term: termOf(epoch),
    number: numberOf(epoch),
    planner,
    ...(foreseen === undefined ? {} : { foreseen }),
    models: [...models].sort().map(model => ({
      model,
      devices: [...placement].map(([device, carried]) => ({ device, blocks: [...(carried.get(model) ?? [])] })),
      unplaced: unplaced.filter(u => u.model === model).map(({ block, because }) => ({ block, because }))
    }))
  })
}

/** @throws Error in words where it is larger than any that is real, or has no number */
export const placementFromWire = (wire: Placement): NumberedPlacement => {
  checkSize(wire)
  const placement = new Map<DeviceId, Map<ModelId, readonly number[]>>()
  for (const { model, devices } of wire.models) {
    for (const { device, blocks } of devices) {
      const carried = placement.get(deviceId(device)) ?? new Map<ModelId, readonly number[]>()
      placement.set(deviceId(device), carried.set(modelId(model), blocks))
    }
  }
  const unplaced = wire.models.flatMap(({ model, unplaced: list }) =>
    list.map(({ block, because }) => ({ model: modelId(model), block, because: because.slice(0, MAX_REASON) }))
  )
  return {
    ...{ epoch: epochOf(wire.term, wire.number), planner: deviceId(wire.planner), placement, unplaced },
    ...(wire.foreseen === undefined ? {} : { foreseen: foreseenFromWire(wire.foreseen) })
  }
}

const foreseenFromWire = ({ before, best, most }: WireForeseen): Foreseen => ({
  ...{ best, most },
  ...(before === undefined ? {} : { before })
})

const checkSize = ({ number, models }: Placement): void => {
  if (number < 1 || number >= NUMBERS) throw new Error(`its number is ${number}`)
  if (models.length > MAX_MODELS) throw new Error(`it is for ${models.length} models`)
  const most = models.reduce((all, { devices }) => Math.max(all, devices.length), 0)
  if (most > MAX_DEVICES) throw new Error(`it is for ${most} devices`)
  const placed = models.reduce(
    (all, { devices, unplaced }) => devices.reduce((sum, { blocks }) => sum + blocks.length, all + unplaced.length),
    0
  )
  if (placed > MAX_PLACED) throw new Error(`it places ${placed} blocks`)
}
