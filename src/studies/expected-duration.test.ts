import { expect, test } from 'vitest'
import { parseScenario } from '../core/scenario.ts'
import type { PlanOutcome } from '../planner/plan.ts'
import { expectedDuration } from './expected-duration.ts'

const scenario = (sources: object, events: readonly object[] = []) =>
  parseScenario(
    {
      devices: { porch: {} },
      models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
      sources: [{ name: 'cam', device: 'porch', model: 'net', count: 600, ...sources }],
      events
    },
    'test'
  )
const planned = { kind: 'plan', plan: { predicted: { rates: [100] } } } as unknown as PlanOutcome
const infeasible = { kind: 'infeasible', because: '' } as unknown as PlanOutcome

test('arrivals, what is planned for who is saturated, a late start and late events', () => {
  expect(expectedDuration(scenario({ arrivals: { poisson: '2/s' } }), planned)).toBeCloseTo(300, 9)
  expect(expectedDuration(scenario({ arrivals: { every: '500ms' }, start: '10s' }), infeasible)).toBeCloseTo(310, 9)
  expect(expectedDuration(scenario({}), planned)).toBeCloseTo(6, 9)
  expect(expectedDuration(scenario({}), infeasible)).toBe(0)
  expect(expectedDuration(scenario({}, [{ at: '20s', device: 'porch', speed: 0.5 }]), planned)).toBe(20)
})
