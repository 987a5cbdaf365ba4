import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberRanges } from './number-ranges.ts'

test('numbers in any order are there once each, in as many ranges as there are gaps', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 80 }), numbers => {
      const ranges = new NumberRanges()
      const all = new Set<number>()
      for (const n of numbers) {
        expect(ranges.add(n)).toBe(!all.has(n))
        all.add(n)
      }
      for (let n = 0; n <= 61; n++) expect(ranges.has(n)).toBe(all.has(n))
      expect(ranges.size).toBe([...all].filter(n => !all.has(n - 1)).length)
    })
  )
})
