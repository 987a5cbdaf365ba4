import { expect, test } from 'vitest'
import { PATIENT_TERMS } from '../core/admission-terms.ts'
import { bytes, seconds } from '../core/units.ts'
import { POLICIES } from '../scheduler/policies.ts'
import { simulate } from './simulate.ts'

const DEADLINE = seconds(0.5)

test('under twice the load that is served, nearly as many results as can be are in time', () => {
  const { sources } = simulate({
    devices: [{ name: 'd', speed: 1 }],
    links: [],
    models: [{ name: 'm', work: [0.02, 0.03].map(seconds), activations: [1, 1, 1].map(bytes) }],
    sources: [
      {
        ...{ name: 's', device: 0, model: 0, weight: 1, count: 1000, window: 'auto' },
        availableAt: datum => seconds(0.025 * datum),
        terms: { ...PATIENT_TERMS, deadline: DEADLINE, drop: 'oldest', queue: 100 }
      }
    ],
    carries: () => true,
    policy: POLICIES.confluence
  })
  const [{ results, dropped, completed }] = sources as [(typeof sources)[0]]
  expect(completed + dropped).toBe(1000)
  const inTime = results.filter(r => r.completedAt - r.availableAt <= DEADLINE).length
  expect(inTime).toBeGreaterThan(0.9 * 500) // 25 s of arrivals, 20 a second are served
})

/** A camera with a deadline beside one without, more than the device can do; data of both with the results in time. */
const twoCameras = (deadline: number) => {
  const camera = (name: string, terms: typeof PATIENT_TERMS) => ({
    ...{ name, device: 0, model: 0, weight: 1, count: 400, window: 16, terms },
    availableAt: (datum: number) => seconds(0.08 * datum)
  })
  return simulate({
    devices: [{ name: 'd', speed: 1 }],
    links: [],
    models: [{ name: 'm', work: [0.02, 0.03].map(seconds), activations: [1, 1, 1].map(bytes) }],
    sources: [
      camera('hasty', { ...PATIENT_TERMS, deadline: seconds(deadline), drop: 'oldest', queue: 100 }),
      camera('patient', { ...PATIENT_TERMS, drop: 'oldest', queue: 100 })
    ],
    carries: () => true,
    policy: POLICIES.confluence
  }).sources
}

test('data that are too late give way, and still every datum has its outcome', () => {
  for (const deadline of [0.1, 0.4, 1.5]) {
    const sources = twoCameras(deadline)
    for (const { completed, dropped, stuck } of sources)
      expect({ sum: completed + dropped, stuck }).toEqual({ sum: 400, stuck: undefined })
    expect(sources[0]!.completed).toBeGreaterThan(0)
  }
})
