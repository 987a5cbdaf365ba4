import { type CodecCosts, chooseEncoding, type EncodingChoice, encodedRate } from './activation-encoding.ts'
import type { Scenario } from './scenario.ts'
import type { BytesPerSecond } from './units.ts'

/**
 * A scenario whose activations travel encoded, as one in which they travel as they are: each link as fast as it then is
 * for a byte of float32. What travels as it is all the same: see `encodedProfiles`.
 */
export const encodedScenario = (scenario: Scenario, choice: EncodingChoice, costs: CodecCosts): Scenario => {
  if (choice === 'fp32') return scenario
  const faster = (rate: BytesPerSecond): BytesPerSecond => encodedRate(chooseEncoding(choice, rate, costs), rate, costs)
  return {
    ...scenario,
    links: scenario.links.map(link => ({ ...link, rate: faster(link.rate) })),
    events: scenario.events.map(event =>
      event.kind === 'link' && event.rate !== undefined ? { ...event, rate: faster(event.rate) } : event
    )
  }
}
