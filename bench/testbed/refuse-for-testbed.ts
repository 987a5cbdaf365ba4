import { refuseTooFast } from '../../src/cli/emulate/refuse-too-fast.ts'
import type { Scenario } from '../../src/core/scenario.ts'
import { UserError } from '../../src/core/user-error.ts'

/**
 * A medium is one token bucket, which knows nothing of pairs; a share of one core is at most 1, and the same for all blocks.
 * @param file of the scenario, for messages
 * @throws UserError for what the testbed cannot do
 */
export const refuseForTestbed = (scenario: Scenario, file: string): void => {
  refuseTooFast(scenario, file)
  const { links, events, devices, models } = scenario
  const timed = models.find(model => model.kind === 'synthetic' && model.times !== undefined)
  if (timed !== undefined)
    throw new UserError(
      `${file}: models.${timed.name}.times: the testbed computes for as long as its quota lets it, whatever was measured elsewhere; give work and speeds, or use tributary emulate`
    )
  const mediumOf = (from: number, to: number) => links.find(l => l.from === from && l.to === to)?.medium
  for (const event of events) {
    if (event.kind !== 'link' || event.rate === undefined) continue
    const [first] = event.links
    const medium = first && mediumOf(first.from, first.to)
    if (medium === undefined || event.links.length === links.filter(l => l.medium === medium).length) continue
    throw new UserError(
      `${file}: events: bandwidth of ${devices[first!.from]!.name}->${devices[first!.to]!.name} at ${event.at} s: the testbed holds the rate of a medium as a whole; change all of it with medium: NAME, or give the pair a link of its own in links.pairs`
    )
  }
}
