import { expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import type { PolicyRun } from '../../report/run-report.ts'
import { couldNotCome } from './could-not-come.ts'

const scenario = parseScenario(
  {
    devices: { porch: {}, shed: {} },
    models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
    sources: [
      { name: 'cam', device: 'porch', model: 'net', count: 5 },
      { name: 'door', device: 'shed', model: 'net', count: 5 }
    ]
  },
  'test'
)

const simulated = (because: string | undefined, ...completed: number[]): Pick<PolicyRun, 'sources' | 'because'> => ({
  sources: completed.map(n => ({ completed: n, dropped: 0 })) as unknown as PolicyRun['sources'],
  ...(because === undefined ? {} : { because })
})

test('what a simulation cannot have either could not come; what it has was lost', () => {
  expect(couldNotCome([0], scenario, simulated('cam: does not fit', 0, 5))).toBe(true)
  expect(couldNotCome([0, 1], scenario, simulated('cam: does not fit', 0, 5))).toBe(false)
  expect(couldNotCome([0], scenario, simulated(undefined, 5, 5))).toBe(false)
  expect(couldNotCome([0], scenario, simulated(undefined, 3, 5))).toBe(false) // its device left
})

test('what a simulation drops by its terms, it has', () => {
  const { because, sources } = simulated('door: does not fit', 3, 0)
  const all = { because: because!, sources: sources.map((source, s) => ({ ...source, dropped: s === 0 ? 2 : 0 })) }
  expect(couldNotCome([0], scenario, all)).toBe(false)
  expect(couldNotCome([1], scenario, all)).toBe(true)
})
