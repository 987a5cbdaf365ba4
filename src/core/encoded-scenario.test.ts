import { expect, test } from 'vitest'
import { encodedScenario } from './encoded-scenario.ts'
import { parseScenario } from './scenario.ts'
import { megabitsPerSecond } from './units.ts'

const costs = { fp32: 0, fp16: 2.6e-9, int8: 2.8e-9 }
const written = {
  devices: { a: {}, b: {} },
  links: {
    default: { bandwidth: '8Mbps', latency: '3ms' },
    pairs: [{ from: 'b', to: 'a', bandwidth: '40Gbps', both: false }]
  },
  models: { m: { blocks: [{ work: '1ms', weights: '1KB' }], activations: ['1KB', '1KB'] } },
  sources: [{ name: 's', device: 'a', model: 'm', count: 1 }],
  events: [
    { at: '1s', link: 'a->b', bandwidth: '4Mbps' },
    { at: '2s', link: 'a->b', latency: '1ms' }
  ]
}

test('slow links are faster by what they need not send, also after events; fast ones are as they were', () => {
  const scenario = parseScenario(written, 'test')
  const { links, events } = encodedScenario(scenario, 'auto', costs)
  expect(links.find(({ from }) => from === 0)!.rate / megabitsPerSecond(8)).toBeCloseTo(4, 1)
  expect(links.find(({ from }) => from === 1)).toEqual(scenario.links.find(({ from }) => from === 1))
  expect(events.map(event => (event.kind === 'link' ? event.rate : 0))).toEqual([
    expect.closeTo(4 * megabitsPerSecond(4), -5),
    undefined
  ])
  expect(encodedScenario(scenario, 'fp32', costs)).toBe(scenario)
})
