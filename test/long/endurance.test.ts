import { expect, test } from 'vitest'
import { endure } from '../../src/testing/endure.ts'

test('a bad day of twenty minutes: every datum has exactly one result', async () => {
  const { code, stderr, scenario, report } = await endure('long', 1200)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  const results = report!.runs[0]!.sources.map(({ name, completed }) => [name, completed])
  expect(results).toEqual(scenario.sources.map(({ name, count }) => [name, count]))
}, 1_800_000)
