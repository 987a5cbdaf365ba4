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
    if (because.kind === 'cannot') return because.because
    const here = named[n]!.name
    const { name: model, work } = models[spec.model]!
    if (because.block === work.length) return `no way leads from ${here} back to ${home}`
    return `no device that can be reached from ${here} carries block ${because.block} of ${model}`
  }
  return 'its data never came home'
}
