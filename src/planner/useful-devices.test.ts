import { expect, test } from 'vitest'
import { createRng } from '../core/rng.ts'
import { parseScenario } from '../core/scenario.ts'
import { bytes, seconds } from '../core/units.ts'
import { loadMipSolver, loadSolver } from '../runtime/highs.ts'
import { plan } from './plan.ts'
import { problemOfScenario } from './problem-of-scenario.ts'
import { usefulDevices } from './useful-devices.ts'

const problem = (links: unknown, memory = '1GiB') => {
  const scenario = parseScenario(
    {
      devices: { cam: { memory }, shed: { memory, speed: 4 }, attic: { memory, speed: 8 }, deaf: { memory, speed: 8 } },
      links: { topology: 'none', ...(links as object) },
      models: {
        net: {
          blocks: [
            { work: '10ms', weights: '4MiB' },
            { work: '10ms', weights: '4MiB' }
          ],
          activations: ['1KB', '1KB', '1KB']
        }
      },
      sources: [{ name: 's', device: 'cam', model: 'net' }]
    },
    'x.yaml'
  )
  const { blocks } = scenario.models[0] as Extract<(typeof scenario.models)[number], { kind: 'synthetic' }>
  const work = blocks.map(block => block.work)
  const profile = {
    name: 'net',
    work,
    weights: blocks.map(block => block.weights),
    activations: [1000, 1000, 1000].map(bytes)
  }
  return problemOfScenario(scenario, [profile])
}
/** cam and shed hear each other; attic only hears, deaf only speaks. */
const LINKS = {
  pairs: [
    { from: 'cam', to: 'shed', bandwidth: '100Mbps', latency: '1ms', both: true },
    { from: 'shed', to: 'attic', bandwidth: '100Mbps', latency: '1ms' },
    { from: 'deaf', to: 'cam', bandwidth: '100Mbps', latency: '1ms' }
  ]
}

test('a device is of use where a source reaches it and hears from it again, over others too', () => {
  const isUseful = usefulDevices(problem(LINKS))
  expect([0, 1, 2, 3].map(n => isUseful(n, 0))).toEqual([true, true, false, false])
  const ring = { pairs: [...LINKS.pairs, { from: 'attic', to: 'deaf', bandwidth: '1Mbps', latency: '1ms' }] }
  expect([0, 1, 2, 3].map(n => usefulDevices(problem(ring))(n, 0))).toEqual([true, true, true, true])
  const unasked = { ...problem(LINKS), sources: [] }
  expect([0, 1, 2, 3].map(n => usefulDevices(unasked)(n, 0))).toEqual([true, true, true, true])
})

test('devices to which no link leads get no blocks, with room for all of them and without', async () => {
  const [solve, solveMip] = await Promise.all([loadSolver(), loadMipSolver()])
  for (const memory of ['1GiB', '4MiB', '5MiB']) {
    const here = problem(LINKS, memory)
    const parts = { solve, solveMip, rng: createRng('plan'), now: () => seconds(0), timeLimit: seconds(5) }
    const outcome = plan(here, parts)
    if (outcome.kind !== 'plan') throw new Error(outcome.because)
    const carried = here.devices.map((_, n) => [0, 1].filter(k => outcome.plan.table.carries(n, 0, k)))
    expect(carried[0]!.length + carried[1]!.length).toBe(memory === '1GiB' ? 4 : 2)
    expect(carried.slice(2)).toEqual([[], []])
  }
})
