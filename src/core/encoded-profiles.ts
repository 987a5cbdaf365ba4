import { type CodecCosts, chooseEncoding, type EncodingChoice, encodedRate } from './activation-encoding.ts'
import type { ModelProfile } from './model-profile.ts'
import type { Scenario } from './scenario.ts'
import { type Bytes, type BytesPerSecond, bytes } from './units.ts'

/**
 * What models cost on the links of `encodedScenario`, which are as fast as they are for encoded bytes: results, and other
 * types than float32, travel as they are, so each of their bytes counts as many as the encoding saves. A model has one size
 * for all links: that of the link where encoding saves most, which is the slowest; exact where all links are alike.
 * @param scenario as it is written
 */
export const encodedProfiles = (
  profiles: readonly ModelProfile[],
  { links, events }: Scenario,
  choice: EncodingChoice,
  costs: CodecCosts
): readonly ModelProfile[] => {
  const gain = (rate: BytesPerSecond): number => encodedRate(chooseEncoding(choice, rate, costs), rate, costs) / rate
  const rates = [...links, ...events].flatMap(of => ('rate' in of && of.rate !== undefined ? [of.rate] : []))
  const most = rates.reduce((best, rate) => Math.max(best, gain(rate)), 0)
  if (choice === 'fp32' || most === 0) return profiles
  return profiles.map(profile => {
    const { activations, unencodable } = profile
    const priced = activations.map((size, k): Bytes => {
      const asItIs = k === activations.length - 1 ? size : (unencodable?.[k] ?? 0)
      return bytes(size - asItIs + asItIs * most)
    })
    return { ...profile, activations: priced, toldBytes: activations }
  })
}
