import { expect, test } from 'vitest'
import { disagreements } from '../../src/testing/simulated/disagreements.ts'
import { range } from '../../src/testing/simulated/scenario.ts'

const COUNT = 100

test(`clusters of real devices and the simulator agree on ${COUNT} seeded scenarios`, async () => {
  expect(await disagreements(range(COUNT).map(i => i + 1))).toEqual([])
})
