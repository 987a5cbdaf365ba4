import { test } from 'vitest'
import { endure } from '../../src/testing/endure.ts'

test('a bad day of two minutes: kills, stops, joins, slow workers, cut links; every datum has exactly one right result', async () => {
  await endure('short', 120, 2)
}, 300_000)
