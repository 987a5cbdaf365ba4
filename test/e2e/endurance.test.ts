import { test } from 'vitest'
import { endure } from '../../src/testing/endure.ts'

test('a bad day, short: kills, stops, joins, slow workers, cut links; every datum has exactly one right result', async () => {
  await endure('short', 40, 3)
}, 200_000)
