import fc from 'fast-check'
import { expect } from 'vitest'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { simulate } from '../simulator/simulate.ts'
import { type SparseNetwork, sparseNetwork } from './sparse-network.ts'

/** In random networks without all the links and with memory limits, every datum comes home once. */
export const expectEachOnce = (policy: CreatePolicy): void => {
  const networks: fc.Arbitrary<SparseNetwork> = fc.record({
    shape: fc.constantFrom('ring', 'chain', 'star'),
    seed: fc.nat(1e6),
    carried: fc.constantFrom(0, 0.2, 0.5, 1)
  })
  fc.assert(
    fc.property(networks, network => {
      const input = sparseNetwork(network, policy)
      for (const [i, { stuck, results }] of simulate(input).sources.entries()) {
        expect(stuck).toBeUndefined()
        const data = results.map(({ datum }) => datum).toSorted((a, b) => a - b)
        expect(data).toEqual([...Array(input.sources[i]!.count).keys()])
      }
    }),
    { numRuns: 60, seed: 11 }
  )
}
