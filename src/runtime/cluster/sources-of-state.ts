import { z } from 'zod'
import type { DeviceState } from '../generated/tributary/v1/wire_pb.ts'

export interface StatedSource {
  /** Name of its model; empty: the first there is. */
  readonly model: string
  /** Sources of a running cluster count alike: how much they have is known only afterwards. */
  readonly demand: number
}

const schema = z.object({ sources: z.array(z.object({ model: z.string(), state: z.string() })).max(1000) })

/** States do not change, and are looked at ten times a second. */
const known = new WeakMap<DeviceState, readonly StatedSource[]>()

/** The sources that a device says it has; those that are done count too, since they may be given more. */
export const sourcesOfState = (state: DeviceState): readonly StatedSource[] => {
  let sources = known.get(state)
  if (sources === undefined) {
    sources = parsed(state)
    known.set(state, sources)
  }
  return sources
}

const parsed = ({ status }: DeviceState): readonly StatedSource[] => {
  try {
    return schema.parse(JSON.parse(status)).sources.map(({ model }) => ({ model, demand: 1 }))
  } catch {
    return []
  }
}
