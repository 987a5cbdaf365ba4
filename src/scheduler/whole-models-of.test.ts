import { expect, test } from 'vitest'
import { POLICIES, POLICY_NAMES } from './policies.ts'
import { wholeModelsOf } from './whole-models-of.ts'

test('all policies but local and ddi can part models, and pipeedge has one part on each device', () => {
  const whole = POLICY_NAMES.map(name => [name, wholeModelsOf(POLICIES[name])])
  expect(whole.filter(([, need]) => need !== false)).toEqual([
    ['local', 'at sources'],
    ['ddi', 'everywhere'],
    ['pipeedge', 'in pipelines']
  ])
})

test('what counts is what a policy says, whatever it is called, and also of one that is wrapped', () => {
  expect(wholeModelsOf(host => ({ ...POLICIES.ddi(host), name: 'mine' }))).toBe('everywhere')
  expect(wholeModelsOf(host => ({ ...POLICIES.confluence(host), name: 'ddi' }))).toBe(false)
})
