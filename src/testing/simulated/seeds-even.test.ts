import { test } from 'vitest'
import { expectLawsKept, SEEDS } from './expect-laws-kept.ts'

// Half of the seeds: two files run beside each other on two processors. The other half is in the other file.
test('clusters of real devices, killed, hung, cut apart and filled up by even seeds, keep every law', async () => {
  await expectLawsKept(2, Math.ceil(SEEDS / 2), 2)
})
