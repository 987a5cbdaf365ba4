import { expect, test } from 'vitest'
import { parseScenario } from '../core/scenario.ts'
import { demandReports, describeDemand } from './demand-report.ts'

const scenario = parseScenario(
  {
    devices: { a: {} },
    models: { m: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'] } },
    sources: [
      { name: 'cam', device: 'a', model: 'm', arrivals: { poisson: '10/s' } },
      { name: 'door', device: 'a', model: 'm', arrivals: { every: '100ms' } },
      { name: 'archive', device: 'a', model: 'm' }
    ]
  },
  'here'
)
const bound = (cam: number) => ({ scale: 1, rates: { cam, door: cam, archive: 1 }, latency: {} })

test('a demand that is met: by how much more', () => {
  const said = demandReports(scenario, bound(14.6), bound(15), 'device a (100 % busy)')
  expect(said).toMatchObject([
    { source: 'cam', asked: 10, served: 14.6, met: true, spare: expect.closeTo(0.46, 9) },
    { source: 'door', asked: 10, met: true }
  ])
  expect(describeDemand(said[0]!)).toBe('cam: your 10/s is met, 46 % to spare')
})

test('a demand that is not met: how much of it is, because of what, and whether another placement might', () => {
  const [never] = demandReports(scenario, bound(7.1), bound(7.2), 'device a (100 % busy)')
  expect(describeDemand(never!)).toBe(
    'cam: not met: 7.1/s of 10/s, because no placement serves more than 7.2/s; bottleneck: device a (100 % busy)'
  )
  const [perhaps] = demandReports(scenario, bound(7.1), bound(12), 'device a (100 % busy)')
  expect(perhaps).toMatchObject({ met: false, spare: 0, because: expect.stringContaining('not ruled out') })
})
