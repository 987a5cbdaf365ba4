import { lackOf } from '../cluster/lack-of.ts'
import { missingBlock } from '../cluster/readiness.ts'
import type { World } from '../core/world.ts'
import type { Dispatcher } from '../scheduler/dispatch/dispatcher.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { SimulationInput } from './simulation-input.ts'
import type { SourceModel } from './source-model.ts'

interface DeviceAtTheEnd {
  readonly up: boolean
  readonly leaving: boolean
  readonly dispatcher: Pick<Dispatcher<LiveTask>, 'waiting'>
}

/** Why the data of a source wait for ever, for a person. Devices in the order of the input. */
export const whyStuck = (
  { id, spec, hasBegun }: SourceModel,
  { devices: named, models }: SimulationInput,
  devices: readonly DeviceAtTheEnd[],
  world: World
): string => {
  const home = named[spec.device]!.name
  const { up, leaving } = devices[spec.device]!
  if (!up || leaving) return `${home} left and did not come back`
  const noCarrier = (here: string, block: number): string =>
    `no device that can be reached from ${here} carries block ${block} of ${models[spec.model]!.name}`
  const missing = hasBegun ? undefined : missingBlock(world, spec.model, spec.device)
  if (missing !== undefined) return noCarrier(home, missing)
  for (const [n, { dispatcher }] of devices.entries()) {
    const because = dispatcher.waiting().find(({ task }) => task.source === id)?.because
    if (because === undefined) continue
    const here = named[n]!.name
    const lack = lackOf(because, models[spec.model]!.work.length)
    if (lack.kind === 'policy') return lack.because
    if (lack.kind === 'wayHome') return `no way leads from ${here} back to ${home}`
    return noCarrier(here, lack.block)
  }
  return 'its data never came home'
}
