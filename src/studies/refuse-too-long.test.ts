import { expect, test } from 'vitest'
import { parseScenario } from '../core/scenario.ts'
import { modelProfiles } from './model-profiles.ts'
import { planScenario } from './planned-scenario.ts'
import { refuseTooLong } from './refuse-too-long.ts'

const check = async (change: object, source: object = {}): Promise<void> => {
  const scenario = parseScenario(
    {
      devices: { a: { speed: 1 } },
      models: { m: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
      sources: [{ name: 's', device: 'a', model: 'm', ...source }],
      ...change
    },
    'here'
  )
  refuseTooLong(scenario, await planScenario(scenario, await modelProfiles(scenario, () => {})), 'x.yaml')
}

test('runs of years are refused in a line: work, rates, waits, events', async () => {
  const long = /^x\.yaml: a run would last .* simulated seconds or more, and 10000000 can be simulated; give less work/
  const heavy = { models: { m: { blocks: [{ work: '1e9s' }], activations: ['1KB', '1KB'] } } }
  await expect(check(heavy)).rejects.toThrow(long)
  await expect(check({ devices: { a: { speed: 1e-6 } } }, { count: 100_000 })).rejects.toThrow(long)
  await expect(check({}, { arrivals: { every: '1e6s' } })).rejects.toThrow(long)
  await expect(check({}, { start: '1e8s' })).rejects.toThrow(long)
  await expect(check({ events: [{ at: '1e8s', device: 'a', speed: 2 }] })).rejects.toThrow(long)
})

test('a week is none of these', async () => {
  await check({}, { arrivals: { every: '1h' }, count: 168 })
})
