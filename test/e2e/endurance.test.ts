import { test } from 'vitest'
import { endure } from '../../src/testing/endure.ts'

test('a bad day of one minute: kills, stops, joins, slow workers, cut links; every datum has exactly one right result', async () => {
  await endure('short', 60, 2)
}, 300_000)
