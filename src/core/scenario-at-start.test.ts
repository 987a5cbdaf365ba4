import { expect, test } from 'vitest'
import { parseScenario } from './scenario.ts'
import { scenarioAtStart } from './scenario-at-start.ts'

const scenario = (events: object[], device = 'porch') =>
  parseScenario(
    {
      devices: { late: { speed: 4 }, porch: {}, shed: {} },
      models: { m: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
      sources: [{ name: 'cam', device, model: 'm' }],
      events
    },
    'here'
  )

test('a device that joins later is not there at the start; one that leaves and comes back is', () => {
  const events = [
    { at: '5s', device: 'late', joins: true },
    { at: '6s', device: 'shed', leaves: 'kill' },
    { at: '7s', device: 'shed', joins: true }
  ]
  const { devices, links, sources, events: left } = scenarioAtStart(scenario(events))
  expect(devices.map(({ name }) => name)).toEqual(['porch', 'shed'])
  expect(links.map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 0]
  ])
  expect(sources[0]!.device).toBe(0)
  expect(left).toEqual([])
})

test('a source is asked for from the start, wherever it is', () => {
  expect(scenarioAtStart(scenario([{ at: '5s', device: 'late', joins: true }], 'late')).devices).toHaveLength(3)
  const plain = scenario([])
  expect(scenarioAtStart(plain)).toBe(plain)
})
