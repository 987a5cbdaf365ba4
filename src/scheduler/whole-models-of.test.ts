import { expect, test } from 'vitest'
import { POLICY_NAMES } from './policies.ts'
import { wholeModelsOf } from './whole-models-of.ts'

test('all policies but local and ddi can part models, and pipeedge has one part on each device', () => {
  const whole = POLICY_NAMES.flatMap(name => (wholeModelsOf(name) === false ? [] : [[name, wholeModelsOf(name)]]))
  expect(whole).toEqual([
    ['local', 'at sources'],
    ['ddi', 'everywhere'],
    ['pipeedge', 'in pipelines']
  ])
})
