import { expect, test } from 'vitest'
import { parseScenario } from '../../core/scenario.ts'
import { bytesPerSecond, milliseconds } from '../../core/units.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { PortableFooting } from './portable-footing.ts'

const scenario = parseScenario(
  {
    devices: { porch: { speed: 0.5 }, shed: { speed: 0.25 } },
    links: { default: { bandwidth: '8Mbps', latency: '5ms' } },
    models: { toy: { blocks: [{ work: '1ms' }], activations: ['1KB', '1KB'] } },
    sources: [{ name: 'cam', device: 'porch', model: 'toy' }]
  },
  'test'
)
const ids = ['id-porch', 'id-shed']

test('a device that is started again has the speed and the links of now', async () => {
  await using footing = await PortableFooting.open(scenario, systemClock)
  const flags = (): string => footing.flags(0, ids).join(' ')
  expect(flags()).toContain('--speed 0.5 --emulate-link id-shed=8000000bps,0.005s')
  const orders: unknown[] = []
  const note = (order: unknown): void => void orders.push(order)
  await footing.slow(0, 0.1, note)
  await footing.relink(0, 1, { rate: bytesPerSecond(500_000) }, 'id-shed', note)
  await footing.relink(0, 1, { latency: milliseconds(40) }, 'id-shed', note)
  expect(flags()).toContain('--speed 0.1 --emulate-link id-shed=4000000bps,0.04s')
  expect(footing.flags(1, ids).join(' ')).toContain('--speed 0.25 --emulate-link id-porch=8000000bps,0.005s')
  expect(orders).toEqual([
    { speed: 0.1 },
    { link: 'id-shed', rate: 500_000, latency: 0.005 },
    { link: 'id-shed', rate: 500_000, latency: 0.04 }
  ])
})
