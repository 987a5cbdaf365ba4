import type { DeviceId, ModelId } from '../core/ids.ts'
import { bytes, type Seconds, seconds } from '../core/units.ts'
import type { WholeModels } from '../core/whole-models.ts'
import type { PlacementLink, PlacementModel, PlacementProblem } from '../planner/placement.ts'
import { boundedDemands } from './bounded-demands.ts'
import type { StatedDevice } from './stated-device.ts'

/** A model of the cluster, as those know it who have its manifest. */
export type KnownModel = Omit<PlacementModel, 'times'>

export interface Statements {
  /** Those to plan for: who is there and stays. */
  readonly devices: readonly StatedDevice[]
  readonly models: readonly KnownModel[]
  /** Where models are needed whole. */
  readonly wholeModels: WholeModels
}

/**
 * What is to be planned, from what devices say of themselves. A device is as fast as its blocks show, where it has run some,
 * and its declared times are slower or faster by as much. Of what others say, only what is about devices and models of the
 * plan counts. A device that is out of plans has no memory for blocks, where the others have enough for all.
 */
export const placementProblem = ({ devices, models, wholeModels }: Statements): PlacementProblem => {
  const speeds = devices.map(device => speedOf(device, models))
  const place = new Map(devices.map(({ id }, n) => [id, n]))
  const number = new Map(models.map(({ id }, m) => [id, m]))
  const isLeftOut = canDoWithout(devices, models)
  return {
    devices: devices.map((device, n) => ({
      ...{ id: device.id, speed: speeds[n]! },
      lanes: device.lanes,
      memory: isLeftOut(device) ? bytes(0) : device.memory
    })),
    models: models.map(({ id, blocks, activations, pinned }) => ({
      ...{ id, blocks, activations, pinned },
      times: timesOf(devices, id, blocks.length, speeds)
    })),
    links: devices.flatMap((device, from) => linksOf(device, from, place)),
    sources: boundedDemands(devices).flatMap(({ sources }, device) =>
      sources.flatMap(({ model: id, demand }) => {
        const model = id === undefined ? undefined : number.get(id)
        return model === undefined ? [] : [{ device, model, demand }]
      })
    ),
    wholeModels,
    carried: new Map(devices.map(device => [device.id, carriedBy(device)]))
  }
}

/** Most of the devices are never left out: so many are not all wrong. A pinned block can be nowhere but with its source. */
const canDoWithout = (
  devices: readonly StatedDevice[],
  models: readonly KnownModel[]
): ((device: StatedDevice) => boolean) => {
  const pinned = new Set(models.flatMap(({ id, pinned }) => (pinned === true ? [id] : [])))
  const isOut = ({ isOutOfPlans = false, sources }: StatedDevice): boolean =>
    isOutOfPlans && !sources.some(({ model }) => model !== undefined && pinned.has(model))
  const rest = devices.filter(device => !isOut(device))
  const room = rest.reduce((sum, { memory }) => sum + memory, 0)
  const weight = models.reduce((all, { blocks }) => blocks.reduce((sum, block) => sum + block.bytes, all), 0)
  return 2 * rest.length > devices.length && room >= weight ? isOut : () => false
}

/** What its blocks really take, where it has run some; otherwise what it measured at its start. */
const speedOf = ({ speed, models }: StatedDevice, known: readonly KnownModel[]): number => {
  let work = 0
  let time = 0
  for (const { model, carried, times } of models) {
    const blocks = known.find(({ id }) => id === model)?.blocks
    for (const { block, seconds: took } of carried) {
      const nominal = times[block] ?? blocks?.[block]?.work
      if (nominal === undefined || !(took > 0)) continue
      work += nominal
      time += took
    }
  }
  return time > 0 && work > 0 ? work / time : speed
}

/** By device: what each block takes there now, where that is declared. Absent where no device declares any. */
const timesOf = (
  devices: readonly StatedDevice[],
  id: ModelId,
  blocks: number,
  speeds: readonly number[]
): readonly (readonly Seconds[] | undefined)[] | undefined => {
  const all = devices.map(({ models }, n) => {
    const times = models.find(({ model }) => model === id)?.times ?? []
    const isValid = times.length === blocks && times.every(time => Number.isFinite(time) && time > 0)
    return isValid ? times.map(time => seconds(time / speeds[n]!)) : undefined
  })
  return all.some(times => times !== undefined) ? all : undefined
}

const linksOf = ({ links }: StatedDevice, from: number, place: ReadonlyMap<DeviceId, number>): PlacementLink[] =>
  links.flatMap(({ to: id, rate, latency, medium }) => {
    const to = place.get(id)
    return to === undefined ? [] : [{ from, to, rate, latency, ...(medium === undefined ? {} : { medium }) }]
  })

/** A model that a device has by several names is stated for each, and what is carried of it once. */
const carriedBy = ({ models }: StatedDevice): ReadonlyMap<ModelId, readonly number[]> => {
  const all = new Map<ModelId, readonly number[]>()
  for (const { model, carried } of models)
    all.set(model, [...(all.get(model) ?? []), ...carried.map(({ block }) => block)])
  return all
}
