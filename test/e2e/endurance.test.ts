import { expect, test } from 'vitest'
import { endure } from '../../src/testing/endure.ts'

test('a bad day, short: kills, stops, joins, slow workers, cut links; every datum has exactly one result', async () => {
  const { code, stderr, scenario, report } = await endure('short', 40)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  const results = report!.runs[0]!.sources.map(({ name, completed }) => [name, completed])
  expect(results).toEqual(scenario.sources.map(({ name, count }) => [name, count]))
}, 200_000)
