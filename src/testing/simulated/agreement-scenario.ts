import { createRng } from '../../core/rng.ts'
import { type BytesPerSecond, bytesPerSecond, type Seconds, seconds } from '../../core/units.ts'
import type { PolicyName } from '../../scheduler/policies.ts'
import { pick, range, type SimulatedScenario } from './scenario.ts'

export interface WireShape {
  readonly latency: Seconds
  readonly rate: BytesPerSecond
}

/** A cluster in which nothing goes wrong, and nothing happens by chance but what is of the seed. */
export interface AgreementScenario extends SimulatedScenario {
  /** From one device, by number, to another. */
  readonly wires: readonly (readonly WireShape[])[]
}

const POLICIES: readonly PolicyName[] = ['confluence', 'confluence', 'confluence', 'ms-mdi', 'pa-mdi', 'ar-mdi']
const MEGABYTE = 1e6
/** Of each source at least so many data, and at least for so many seconds: the first and the last few fill and empty the cluster. */
const LEAST = 100
const LASTS = 20

/** Three to six devices, one or two sources, loads from light to saturated, memory for all blocks or for some. */
export const agreementScenario = (seed: number): AgreementScenario => {
  const rng = createRng(`agreement ${seed}`)
  const count = pick(rng, [3, 4, 5, 6])
  const blocks = 2 + Math.floor(4 * rng.next())
  const work = range(blocks).map(() => 0.02 + 0.06 * rng.next())
  const weights = range(blocks).map(() => Math.ceil((10 + 90 * rng.next()) * MEGABYTE))
  const whole = weights.reduce((a, b) => a + b, 0)
  const isScarce = rng.next() < 0.4
  const devices = range(count).map(n => ({
    name: `d${n}`,
    speed: 0.25 + 1.25 * rng.next(),
    memory: isScarce ? Math.ceil(Math.max(...weights, whole * (0.5 + 0.5 * rng.next()))) : Number.POSITIVE_INFINITY
  }))
  const owner = Math.floor(count * rng.next())
  const total = work.reduce((a, b) => a + b, 0)
  const capacity = devices.reduce((sum, { speed }) => sum + speed, 0) / total
  const sources = range(pick(rng, [1, 1, 2])).map((s, _, all) => {
    const load = pick(rng, [0.3, 0.6, 1])
    const rate = (load * 0.6 * capacity) / all.length
    return {
      name: `s${s}`,
      device: Math.floor(count * rng.next()),
      model: 0,
      count: Math.ceil(Math.max(LEAST, LASTS * rate)),
      window: pick(rng, [4, 8, 16]),
      arrivals: load === 1 ? ({ kind: 'saturated' } as const) : ({ kind: 'poisson', rate } as const),
      weight: pick(rng, [1, 1, 2]),
      poison: [],
      bad: []
    }
  })
  return {
    seed,
    policy: pick(rng, POLICIES),
    devices,
    models: [
      {
        name: 'net0',
        salt: seed,
        work,
        weights,
        length: pick(rng, [256, 2048, 8192]),
        skips: rng.next() < 0.5,
        isPinned: false,
        owners: [owner]
      }
    ],
    sources,
    startWhen: count,
    isPlanned: false,
    faults: [],
    wires: range(count).map(() =>
      range(count).map(() => ({
        latency: seconds(0.0005 + 0.005 * rng.next()),
        rate: bytesPerSecond(1e6 * 10 ** rng.next())
      }))
    )
  }
}
