import { test } from 'vitest'
import { expectLawsKept } from './expect-laws-kept.ts'

const SEEDS = Number(process.env['TRIBUTARY_SEEDS'] ?? 1000)

test('clusters of real devices that are killed, hung, cut apart and filled up keep every law, seed after seed', async () => {
  await expectLawsKept(1, SEEDS)
})
