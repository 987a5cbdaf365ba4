import type { Scenario } from '../../core/scenario.ts'
import { UserError } from '../../core/user-error.ts'

/**
 * @param file of the scenario, for messages
 * @throws UserError for a speed, at the start or later, that this machine cannot emulate
 */
export const refuseTooFast = ({ devices, events }: Scenario, file: string): void => {
  const because = 'an emulated device is at most as fast as this machine, 1; scale all speeds down'
  const fast = devices.find(({ speed }) => speed > 1)
  if (fast !== undefined) throw new UserError(`${file}: devices.${fast.name}.speed ${fast.speed}: ${because}`)
  for (const event of events)
    if (event.kind === 'speed' && event.speed > 1)
      throw new UserError(
        `${file}: events: speed ${event.speed} of ${devices[event.device]!.name} at ${event.at} s: ${because}`
      )
}
