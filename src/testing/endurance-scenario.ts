import { createRng } from '../core/rng.ts'

/**
 * Five devices, three sources, two models, and every few seconds something that goes wrong: a device killed or stopped and
 * started again, a worker slowed and restored, a link cut to a tenth and restored. One device, b, never leaves, so that
 * there is a process that lives all day. Seeded; as YAML would say it.
 * @param duration seconds in which data arrive
 */
export const enduranceScenario = (seed: string, duration: number) => {
  const rng = createRng(seed)
  const names = ['a', 'b', 'c', 'd', 'e']
  const pick = (): string => names[Math.floor(rng.next() * names.length)]!
  const events: object[] = []
  const speeds = { a: 0.25, b: 0.25, c: 0.3, d: 0.2, e: 0.25 }
  const at = (time: number): string => `${time.toFixed(1)}s`
  for (let time = 6; time < duration - 15; time += 12 + 6 * rng.next()) {
    const device = pick()
    const kind = rng.next()
    if (kind < 0.35 && device !== 'b') {
      events.push({ at: at(time), device, leaves: rng.next() < 0.7 ? 'kill' : 'stop' })
      events.push({ at: at(time + 4 + 4 * rng.next()), device, joins: true })
    } else if (kind < 0.7) {
      const speed = speeds[device as keyof typeof speeds]
      events.push({ at: at(time), device, speed: speed / 4 }, { at: at(time + 8), device, speed })
    } else {
      const to = names[(names.indexOf(device) + 1) % names.length]!
      const link = `${device}->${to}`
      events.push({ at: at(time), link, bandwidth: '5Mbps' }, { at: at(time + 8), link, bandwidth: '50Mbps' })
    }
  }
  const block = (work: string) => ({ work, weights: '1MiB' })
  const source = (name: string, device: string, model: string, rate: number) => ({
    name,
    device,
    model,
    window: 16,
    count: Math.round(rate * duration),
    arrivals: { poisson: `${rate}/s` }
  })
  return {
    devices: Object.fromEntries(names.map(name => [name, { speed: speeds[name as keyof typeof speeds] }])),
    links: { topology: 'full', default: { bandwidth: '50Mbps', latency: '3ms' } },
    models: {
      large: { blocks: [block('12ms'), block('10ms'), block('8ms')], activations: ['200KB', '120KB', '60KB', '4KB'] },
      small: { blocks: [block('4ms'), block('4ms')], activations: ['40KB', '30KB', '4KB'] }
    },
    sources: [source('one', 'a', 'large', 5), source('two', 'b', 'large', 4), source('three', 'c', 'small', 15)],
    events
  }
}
