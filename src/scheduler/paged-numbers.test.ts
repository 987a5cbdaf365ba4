import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PagedNumbers } from './paged-numbers.ts'

test('as a map, with 0 for what is not in it', () => {
  const index = fc.oneof(fc.nat(200), fc.nat(1e6))
  fc.assert(
    fc.property(fc.array(fc.tuple(index, fc.double({ noNaN: true }))), fc.array(index), (sets, looks) => {
      const numbers = new PagedNumbers()
      const known = new Map<number, number>()
      for (const [at, value] of sets) {
        numbers.set(at, value)
        known.set(at, value)
      }
      for (const at of [...looks, ...known.keys()]) expect(numbers.at(at)).toBe(known.get(at) ?? 0)
    }),
    { numRuns: 50 }
  )
})
