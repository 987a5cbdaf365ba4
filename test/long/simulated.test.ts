import { test } from 'vitest'
import { expectLawsKept } from '../../src/testing/simulated/expect-laws-kept.ts'

/** Others than those of `npm test`. */
const FIRST = 1_000_000
/** Two to three hours on two cores; TRIBUTARY_LONG_SEEDS=5000 is ten minutes. */
const COUNT = Number(process.env['TRIBUTARY_LONG_SEEDS'] ?? 100_000)
/** So many at a time: how far it is, and what is broken, is said after each. */
const BATCH = 2000

test('clusters of real devices in simulated time keep every law, seed after seed', { timeout: 0 }, async () => {
  for (let done = 0; done < COUNT; done += BATCH) {
    await expectLawsKept(FIRST + done, Math.min(BATCH, COUNT - done))
    process.stderr.write(`${Math.min(COUNT, done + BATCH)} of ${COUNT} seeds keep every law\n`)
  }
})
