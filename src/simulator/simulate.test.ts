import { describe, expect, test } from 'vitest'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'
import type { SimulationInput } from './simulation-input.ts'

const network = (policy: PolicyName, over: Partial<SimulationInput> = {}): SimulationInput => ({
  devices: [
    { name: 'a', speed: 0.25 },
    { name: 'b', speed: 0.25 },
    { name: 'c', speed: 0.5 },
    { name: 'd', speed: 0.5 }
  ],
  links: [0, 1, 2, 3].flatMap(from =>
    [0, 1, 2, 3].flatMap(to => (from === to ? [] : [{ from, to, rate: bytesPerSecond(8e6), latency: seconds(0.003) }]))
  ),
  models: [
    {
      name: 'm',
      work: Array.from({ length: 10 }, () => seconds(0.003)),
      activations: Array.from({ length: 11 }, () => bytes(150e3))
    }
  ],
  sources: [0, 1].map(device => ({
    name: 's',
    device,
    model: 0,
    weight: 1,
    count: 100,
    window: 8,
    availableAt: undefined
  })),
  carries: () => true,
  policy: POLICIES[policy],
  ...over
})

describe('simulate drives the policies of the running device', () => {
  for (const policy of POLICY_NAMES) {
    test(`${policy}: every datum comes home once`, () => {
      const { sources } = simulate(network(policy))
      for (const source of sources) {
        expect(source.completed).toBe(100)
        expect(new Set(source.results.map(r => r.datum)).size).toBe(100)
      }
    })
  }

  test('local runs at the speed of the sources alone', () => {
    expect(simulate(network('local')).makespan).toBeCloseTo(100 * 0.12, 6)
  })

  test('confluence uses all workers', () => {
    const { makespan, devices } = simulate(network('confluence'))
    expect(makespan).toBeLessThan(0.45 * 12)
    for (const device of devices) expect(device.busy / makespan).toBeGreaterThan(0.85)
  })

  test('the same input gives the same output', () => {
    expect(simulate(network('confluence'))).toEqual(simulate(network('confluence')))
  })

  test('a block that nobody carries is an answer, not a hang', () => {
    const { sources } = simulate(network('confluence', { carries: (_, __, block) => block !== 4 }))
    expect(sources[0]).toMatchObject({ completed: 0, stuck: expect.stringContaining('block 4') })
  })
})

test('bytes are told as they are where links are given others to carry', () => {
  const [model] = network('ddi').models
  const told = model!.activations.map(size => bytes(size / 3))
  const sent = (over: Partial<SimulationInput>) => simulate(network('ddi', over)).links.map(link => link.bytes)
  const plain = sent({})
  expect(Math.max(...plain)).toBeGreaterThan(0)
  expect(sent({ models: [{ ...model!, toldBytes: told }] })).toEqual(plain.map(size => size / 3))
})
