import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../../core/units.ts'
import type { PlacementProblem } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { placeApart } from './place-apart.ts'

const net = modelId('net')
const problem: PlacementProblem = {
  devices: ['a', 'b'].map(name => ({ id: deviceId(name), speed: 1, memory: bytes(Number.POSITIVE_INFINITY) })),
  models: [
    {
      id: net,
      blocks: [1, 1].map(work => ({ bytes: bytes(1), work: seconds(work) })),
      activations: [1, 1, 1].map(bytes)
    }
  ],
  links: [
    { from: 0, to: 1, rate: bytesPerSecond(1e6), latency: seconds(0) },
    { from: 1, to: 0, rate: bytesPerSecond(1e6), latency: seconds(0) }
  ],
  sources: [{ device: 0, model: 0, demand: 1 }],
  wholeModels: false,
  carried: new Map()
}

test('a plan comes from a process that ends', async () => {
  const said: string[] = []
  const { placement, unplaced } = await placeApart(text => said.push(text))(problem)
  expect({ said, unplaced }).toEqual({ said: [], unplaced: [] })
  for (const { id } of problem.devices) expect(placement.get(id)!.get(net)).toEqual([0, 1])
})

test('where planning fails, blocks are placed all the same, and it is said', async () => {
  const said: string[] = []
  const impossible = { ...problem, sources: [{ device: 7, model: 0, demand: 1 }] }
  expect(await placeApart(text => said.push(text))(impossible)).toEqual(proportionalPlacement(impossible))
  expect(said).toEqual([expect.stringMatching(/^the planner failed \(.+\); blocks are placed in proportion to speed$/)])
})
