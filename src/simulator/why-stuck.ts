import { lackOf } from '../cluster/lack-of.ts'
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
  { id, spec }: SourceModel,
  { devices: named, models }: SimulationInput,
  devices: readonly DeviceAtTheEnd[]
): string => {
  const home = named[spec.device]!.name
  const { up, leaving } = devices[spec.device]!
  if (!up || leaving) return `${home} left and did not come back`
  for (const [n, { dispatcher }] of devices.entries()) {
    const because = dispatcher.waiting().find(({ task }) => task.source === id)?.because
    if (because === undefined) continue
    const here = named[n]!.name
    const { name: model, work } = models[spec.model]!
    const lack = lackOf(because, work.length)
    if (lack.kind === 'policy') return lack.because
    if (lack.kind === 'wayHome') return `no way leads from ${here} back to ${home}`
    return `no device that can be reached from ${here} carries block ${lack.block} of ${model}`
  }
  return 'its data never came home'
}
