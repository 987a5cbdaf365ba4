import { create } from '@bufbuild/protobuf'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { type DeviceId, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { Foreseen } from '../../planner/placement.ts'
import { type Placement, PlacementSchema, type Foreseen as WireForeseen } from '../generated/tributary/v1/wire_pb.ts'

export const placementToWire = ({ epoch, planner, placement, unplaced, foreseen }: NumberedPlacement): Placement => {
  const models = new Set<ModelId>([...placement.values()].flatMap(m => [...m.keys()]))
  for (const { model } of unplaced) models.add(model)
  return create(PlacementSchema, {
    epoch: BigInt(epoch),
    planner,
    ...(foreseen === undefined ? {} : { foreseen }),
    models: [...models].sort().map(model => ({
      model,
      devices: [...placement].map(([device, carried]) => ({ device, blocks: [...(carried.get(model) ?? [])] })),
      unplaced: unplaced.filter(u => u.model === model).map(({ block, because }) => ({ block, because }))
    }))
  })
}

export const placementFromWire = (wire: Placement): NumberedPlacement => {
  const placement = new Map<DeviceId, Map<ModelId, readonly number[]>>()
  for (const { model, devices } of wire.models) {
    for (const { device, blocks } of devices) {
      const carried = placement.get(deviceId(device)) ?? new Map<ModelId, readonly number[]>()
      placement.set(deviceId(device), carried.set(modelId(model), blocks))
    }
  }
  const unplaced = wire.models.flatMap(({ model, unplaced: list }) =>
    list.map(({ block, because }) => ({ model: modelId(model), block, because }))
  )
  return {
    ...{ epoch: Number(wire.epoch), planner: deviceId(wire.planner), placement, unplaced },
    ...(wire.foreseen === undefined ? {} : { foreseen: foreseenFromWire(wire.foreseen) })
  }
}

const foreseenFromWire = ({ before, best, most }: WireForeseen): Foreseen => ({
  ...{ best, most },
  ...(before === undefined ? {} : { before })
})
