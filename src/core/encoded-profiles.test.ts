import { expect, test } from 'vitest'
import { encodedProfiles } from './encoded-profiles.ts'
import { encodedScenario } from './encoded-scenario.ts'
import { parseScenario } from './scenario.ts'
import { bytes, seconds } from './units.ts'

const costs = { fp32: 0, fp16: 2.6e-9, int8: 2.8e-9 }
const scenario = parseScenario(
  {
    devices: { a: {}, b: {} },
    links: { default: { bandwidth: '8Mbps' }, pairs: [{ from: 'b', to: 'a', bandwidth: '40Gbps' }] },
    models: { m: { blocks: [{ work: '1ms' }], activations: ['1KB', '1KB'] } },
    sources: [{ name: 's', device: 'a', model: 'm' }]
  },
  'test'
)
const profile = {
  ...{ name: 'm', work: [seconds(1), seconds(1)], weights: [bytes(1), bytes(1)] },
  activations: [600, 400, 800].map(bytes),
  unencodable: [600, 100, 0].map(bytes)
}

test('results and what is not float32 take a link as long as they do where nothing is encoded', () => {
  const [plain, faster] = [scenario, encodedScenario(scenario, 'auto', costs)].map(of => of.links[0]!.rate)
  const [priced] = encodedProfiles([profile], scenario, 'auto', costs)
  const times = priced!.activations.map(size => size / faster!)
  expect(times[0]).toBeCloseTo(600 / plain!, 9)
  expect(times[1]).toBeCloseTo(100 / plain! + 300 / faster!, 9)
  expect(times[2]).toBeCloseTo(800 / plain!, 9)
  expect(priced!.toldBytes).toEqual([600, 400, 800])
})

test('without encoding a model costs what it does', () => {
  expect(encodedProfiles([profile], scenario, 'fp32', costs)).toEqual([profile])
})
