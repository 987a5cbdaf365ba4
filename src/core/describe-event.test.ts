import { expect, test } from 'vitest'
import { describeEvent } from './describe-event.ts'
import { parseScenario } from './scenario.ts'

test('each kind of event, in a few words', () => {
  const { events, devices } = parseScenario(
    {
      devices: { porch: { speed: 1 }, shed: { speed: 1 }, attic: { speed: 1 } },
      links: { default: { bandwidth: '20Mbps', latency: '3ms' } },
      models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
      sources: [{ name: 'cam', device: 'porch', model: 'net', count: 10 }],
      events: [
        { at: '1s', device: 'shed', speed: 0.1 },
        { at: '2s', link: 'porch->shed', bandwidth: '5Mbps', latency: '20ms' },
        { at: '3s', device: 'attic', leaves: 'kill' },
        { at: '4s', device: 'attic', joins: true },
        { at: '5s', device: 'attic', leaves: 'stop' }
      ]
    },
    'test'
  )
  expect(events.map(event => describeEvent(event, devices))).toEqual([
    'shed: speed 0.1',
    'porch → shed: 5 Mbit/s, 20.0 ms',
    'attic is killed',
    'attic joins',
    'attic stops'
  ])
})
