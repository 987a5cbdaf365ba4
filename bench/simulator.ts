import { bytes, bytesPerSecond, seconds } from '../src/core/units.ts'
import { systemClock } from '../src/runtime/system-clock.ts'
import { POLICIES, type PolicyName } from '../src/scheduler/policies.ts'
import { simulate } from '../src/simulator/simulate.ts'
import type { SimulationInput } from '../src/simulator/simulation-input.ts'
import { judge } from './judge.ts'

// Events a second on one core: budget 400,000, with 1,000 devices and 100 sources under confluence 200,000. And the memory that 10,000
// devices with 1,000 sources take: budget 8 GB.

const network = (
  devices: number,
  sources: number,
  count: number,
  degree: number,
  policy: PolicyName
): SimulationInput => ({
  devices: Array.from({ length: devices }, (_, n) => ({ name: `d${n}`, speed: 0.5 + (n % 4) / 2 })),
  // Each device and the next so many: a ring with chords.
  links: Array.from({ length: devices }, (_, from) =>
    Array.from({ length: degree }, (_, i) => (from + i + 1) % devices).flatMap(to => [
      { from, to, rate: bytesPerSecond(12.5e6), latency: seconds(0.002) },
      { from: to, to: from, rate: bytesPerSecond(12.5e6), latency: seconds(0.002) }
    ])
  ).flat(),
  models: [
    {
      name: 'net',
      work: Array.from({ length: 12 }, () => seconds(0.01)),
      activations: Array.from({ length: 13 }, (_, k) => bytes(k === 12 ? 4e3 : 2e5 / (1 + k)))
    }
  ],
  sources: Array.from({ length: sources }, (_, i) => ({
    name: `s${i}`,
    device: Math.floor((i * devices) / sources),
    model: 0,
    weight: 1,
    count,
    window: 16,
    availableAt: undefined
  })),
  carries: () => true,
  policy: POLICIES[policy]
})

const measure = (what: string, input: SimulationInput, atLeast?: number): void => {
  const start = systemClock.now()
  const { events, makespan, sources } = simulate(input)
  const took = systemClock.now() - start
  const done = sources.reduce((sum, { completed }) => sum + completed, 0)
  const rss = process.memoryUsage().rss / 2 ** 20
  if (atLeast !== undefined)
    process.stdout.write(judge(what, `${Math.round(events / took)} events a second`, events / took, { atLeast }))
  process.stdout.write(
    `${what}: ${events} events in ${took.toFixed(2)} s, ${Math.round(events / took).toLocaleString('en')} a second; ${done} results in ${makespan.toFixed(1)} simulated seconds; ${rss.toFixed(0)} MiB resident\n`
  )
}

simulate(network(6, 2, 2000, 2, 'confluence')) // warm
for (const policy of ['local', 'ddi', 'ms-mdi', 'confluence'] as const)
  measure(`6 devices, 2 sources, ${policy}`, network(6, 2, 10_000, 2, policy), 400_000)
measure('1000 devices, 100 sources, ms-mdi', network(1000, 100, 20, 2, 'ms-mdi'))
measure('1000 devices, 100 sources, confluence', network(1000, 100, 100, 2, 'confluence'), 200_000)
measure('10000 devices, 1000 sources, confluence', network(10_000, 1000, 10, 2, 'confluence'))
const { rss } = process.memoryUsage()
process.stdout.write(judge('all of it', `${(rss / 1e9).toFixed(1)} GB resident`, rss, { atMost: 8e9 }))
