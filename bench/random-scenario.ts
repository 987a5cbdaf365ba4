import type { Rng } from '../src/core/rng.ts'
import { parseScenario, type Scenario } from '../src/core/scenario.ts'
import { modelProfiles } from '../src/studies/model-profiles.ts'
import { planScenario } from '../src/studies/planned-scenario.ts'
import { wholeBetween } from './whole-between.ts'

/** Seconds that a run should take. */
const DURATION = 15
/** Together as fast as this machine can emulate on two cores. */
const SPEEDS = { least: 0.7, most: 1.4 }

/**
 * A small random network with load for about 15 seconds: 2 to 5 devices, all topologies or one radio, one or two made-up
 * models of 2 to 10 blocks, memory for all or for about a whole set of blocks, 1 to 3 sources that are saturated or have 40 or
 * 70 % of what the network can serve. Emulated speeds add up to 1.4 at most.
 */
export const randomScenario = async (name: string, rng: Rng): Promise<Scenario> => {
  const network = randomNetwork(rng)
  const load = pick(rng, [1, 1, 0.4, 0.7])
  const idle = parseScenario(network, name)
  const { outcome } = await planScenario(idle, await modelProfiles(idle, () => {}))
  // Where a model does not fit there is nothing to measure: the next draw.
  if (outcome.kind === 'infeasible') return randomScenario(name, rng)
  const sources = network.sources.map((source, s) => {
    const rate = load * outcome.plan.predicted.rates[s]!
    const every = rng.next() < 0.4
    return {
      ...source,
      count: Math.max(10, Math.round(DURATION * rate)),
      arrivals: load === 1 ? 'saturated' : every ? { every: `${1 / rate}s` } : { poisson: `${rate}/s` }
    }
  })
  return parseScenario({ ...network, sources }, name)
}

const pick = <T>(rng: Rng, choices: readonly T[]): T => choices[Math.floor(rng.next() * choices.length)]!

const randomNetwork = (rng: Rng) => {
  const whole = (low: number, high: number): number => wholeBetween(rng, low, high)
  const between = (low: number, high: number): number => low + (high - low) * rng.next()
  const devices = Array.from({ length: whole(2, 5) }, (_, n) => `d${n}`)
  const models = Object.fromEntries(
    Array.from({ length: pick(rng, [1, 1, 2]) }, (_, m) => {
      const blocks = Array.from({ length: whole(2, 10) }, () => ({ work: `${whole(2, 30)}ms`, weights: whole(1, 40) }))
      const sizes = blocks.map(() => `${pick(rng, [4, 20, 100, 300, 600, 1200])}KB`)
      return [`m${m}`, { blocks, activations: [...sizes, '4KB'] }] as const
    })
  )
  /** In units of 100 KB, of all blocks. */
  const weights = Object.values(models).reduce((sum, { blocks }) => sum + blocks.reduce((w, b) => w + b.weights, 0), 0)
  const isLimited = rng.next() < 0.4
  const raw = devices.map(() => between(0.2, 1))
  const factor = between(SPEEDS.least, SPEEDS.most) / raw.reduce((a, b) => a + b, 0)
  return {
    devices: Object.fromEntries(
      devices.map((device, n) => [
        device,
        {
          speed: Math.min(1, raw[n]! * factor),
          ...(isLimited ? { memory: `${Math.round(100 * weights * between(0.6, 1.2))}KB` } : {})
        }
      ])
    ),
    links: randomLinks(rng, devices),
    models: Object.fromEntries(
      Object.entries(models).map(([key, { blocks, activations }]) => [
        key,
        { activations, blocks: blocks.map(b => ({ work: b.work, weights: `${100 * b.weights}KB` })) }
      ])
    ),
    sources: devices.slice(0, whole(1, Math.min(3, devices.length))).map((device, s) => ({
      name: `s${s}`,
      device,
      model: pick(rng, Object.keys(models)),
      window: pick(rng, [4, 8, 16]),
      weight: pick(rng, [1, 1, 2])
    }))
  }
}

const randomLinks = (rng: Rng, devices: readonly string[]) => {
  const topology = pick(rng, ['full', 'full', 'ring', 'chain', 'star:d0'])
  if (topology === 'full' && rng.next() < 0.4) {
    const bandwidth = `${pick(rng, [30, 60, 120])}Mbps`
    return { topology: 'none', media: [{ name: 'wifi', devices, bandwidth, latency: '3ms' }] }
  }
  const bandwidth = `${pick(rng, [20, 50, 100, 200])}Mbps`
  return { topology, default: { bandwidth, latency: `${pick(rng, [0, 1, 3, 10])}ms` } }
}
