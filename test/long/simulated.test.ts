import { test } from 'vitest'
import { expectLawsKept } from '../../src/testing/simulated/expect-laws-kept.ts'

/** Others than those of `npm test`. */
const FIRST = 1_000_000
const COUNT = Number(process.env['TRIBUTARY_LONG_SEEDS'] ?? 5000)

test('clusters of real devices in simulated time keep every law, seed after seed', { timeout: 0 }, async () => {
  await expectLawsKept(FIRST, COUNT)
})
