import { create } from '@bufbuild/protobuf'
import { arrivalRate } from '../../core/arrival-rate.ts'
import { type ModelId, modelId } from '../../core/ids.ts'
import type { Arrivals } from '../../core/scenario.ts'
import { type DeviceState, type SourceState, SourceStateSchema } from '../generated/tributary/v1/wire_pb.ts'

/** A source as its device states it to the others. */
export interface StatedSource {
  /** Name of its model; empty: the first there is. */
  readonly model: string
  /** What that means to it now; undefined while there is none, or it does not say. */
  readonly modelId: ModelId | undefined
  /** Of its arrivals, data per second; undefined where it is saturated. */
  readonly rate: number | undefined
}

/** More sources of one device are not planned for. */
const MAX_SOURCES = 1000
/** Data per second beyond which a rate is no rate. */
const LEAST_RATE = 1e-9
const MOST_RATE = 1e9

export const sourceToWire = (
  model: string,
  arrivals: Arrivals,
  {
    modelId: id,
    done = false,
    isUncounted = false
  }: { readonly modelId?: ModelId | undefined; readonly done?: boolean; readonly isUncounted?: boolean } = {}
): SourceState =>
  create(SourceStateSchema, {
    ...{ model, rate: arrivalRate(arrivals) ?? 0, modelId: id ?? '', done },
    uncounted: isUncounted
  })

/**
 * The sources that a device says it has; those that are done count too, since they may be given more. A rate that is none
 * is that of a saturated source: its data are served all the same.
 */
export const sourcesFromWire = ({ sources }: DeviceState): readonly StatedSource[] =>
  sources
    .filter(({ uncounted }) => !uncounted)
    .slice(0, MAX_SOURCES)
    .map(({ model, modelId: id, rate }) => ({
      model,
      modelId: id === '' ? undefined : modelId(id),
      rate: rate >= LEAST_RATE && rate <= MOST_RATE ? rate : undefined
    }))
