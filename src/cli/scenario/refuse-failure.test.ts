import { expect, test } from 'vitest'
import type { PolicyRun } from '../../report/run-report.ts'
import { refuseFailure } from './refuse-failure.ts'

const run = (policy: string, rest: Partial<PolicyRun> = {}): PolicyRun => ({
  policy,
  seed: 1,
  emulated: false,
  makespan: 1,
  throughput: 1,
  sources: [],
  devices: [],
  links: [],
  ...rest
})
const good = run('confluence')
const stuck = run('local', { because: 'does not fit' })

test('a policy that was asked for by name and cannot run is no answer; with all it is, unless none can', () => {
  expect(() => refuseFailure([good, stuck], 'confluence,local')).toThrow('local: does not fit')
  expect(() => refuseFailure([stuck], undefined)).toThrow('local: does not fit')
  expect(() => refuseFailure([good, stuck], 'all')).not.toThrow()
  expect(() => refuseFailure([good, stuck], 'confluence, all')).not.toThrow()
  expect(() => refuseFailure([stuck], 'all')).toThrow('local: does not fit')
})

test('of an emulation of all policies, those that cannot run are excused, and nothing else', () => {
  const emulated = { ...good, emulated: true }
  const cannot = { ...stuck, emulated: true, cannotRun: true as const }
  const lost = run('ddi', { emulated: true, because: 'cam: 1 of 5 never came home' })
  expect(() => refuseFailure([emulated, cannot], 'all')).not.toThrow()
  expect(() => refuseFailure([emulated, cannot], 'confluence,local')).toThrow('local: does not fit')
  expect(() => refuseFailure([emulated, cannot, lost], 'all')).toThrow(/^ddi: cam: 1 of 5 never came home$/)
})
