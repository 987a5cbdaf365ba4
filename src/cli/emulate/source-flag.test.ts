import { expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { parseSourceSpec } from '../../runtime/io/source-spec.ts'
import { sourceFlag } from './source-flag.ts'

const written = (terms: object) =>
  parseScenario(
    {
      devices: { porch: null },
      models: { toy: { blocks: [{ work: '1ms' }], activations: [0, 0] } },
      sources: [{ name: 'cam', device: 'porch', model: 'toy', ...terms }]
    },
    'street.yaml'
  ).sources[0]!

test.each([
  {},
  { queue: 3, drop: 'newest', arrivals: { every: '40ms' } },
  { deadline: '500ms', late: 'cancel', drop: 'oldest', queue: 4, rate: '5/s', arrivals: { poisson: '10/s' } },
  { deadline: '1s', rate: '2/s', window: 'auto', weight: 2, start: '3s', count: 7 }
])('a device is told all that a scenario says of a source: %j', terms => {
  const source = written(terms)
  const { admission, synthetic, ...told } = parseSourceSpec(sourceFlag(source, 'toy'))
  expect(admission).toEqual(source.terms)
  expect(synthetic).toBe(source.count)
  const { name, window, weight, start, arrivals } = source
  expect(told).toMatchObject({ name, window, weight, start, arrivals, model: 'toy' })
})

test('a saturated source drops nothing for want of room, and a device takes it so', () => {
  const { admission } = parseSourceSpec(sourceFlag(written({ drop: 'oldest', queue: 2 }), 'toy'))
  expect(admission).toMatchObject({ drop: 'none', queue: 2 })
})
