import { expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { refuseTerms } from './refuse-terms.ts'

const written = (terms: object) =>
  parseScenario(
    {
      devices: { porch: null },
      models: { toy: { blocks: [{ work: '1ms' }], activations: [0, 0] } },
      sources: [{ name: 'cam', device: 'porch', model: 'toy', ...terms }]
    },
    'street.yaml'
  )

test('terms that an emulated source does not keep are refused by name', () => {
  expect(() => refuseTerms(written({ queue: 3 }), 'street.yaml')).not.toThrow()
  expect(() => refuseTerms(written({ drop: 'oldest' }), 'street.yaml')).toThrow(
    'street.yaml: sources[0].drop: is not emulated; remove it, or use tributary simulate'
  )
})
