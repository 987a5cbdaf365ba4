import type { AdmissionTerms } from '../../core/admission-terms.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import type { Arrivals } from '../../core/scenario.ts'
import type { PolicyName } from '../../scheduler/policies.ts'
import { type Fault, faultSchedule } from './fault.ts'
import type { ToyModelOptions } from './toy-model.ts'

/** Devices, models and sources by their place in the lists. */
export interface SimulatedScenario {
  readonly seed: number
  readonly policy: PolicyName
  readonly devices: readonly SimulatedDeviceOptions[]
  readonly models: readonly (ToyModelOptions & { readonly owners: readonly number[] })[]
  readonly sources: readonly SimulatedSource[]
  readonly startWhen: number
  /** Pairs that know each other and send each other no data: these go over others. */
  readonly apart?: readonly (readonly [number, number])[]
  /** Plans are made by the planner, not by the simple rule. */
  readonly isPlanned: boolean
  readonly faults: readonly Fault[]
}

export interface SimulatedDeviceOptions {
  readonly name: string
  readonly speed: number
  readonly memory: number
  /** @default 1 */
  readonly lanes?: number
  /** Of its wall clock, in seconds. */
  readonly wallOffset?: number
}

export interface SimulatedSource {
  readonly name: string
  readonly device: number
  readonly model: number
  readonly count: number
  readonly window: number
  readonly arrivals: Arrivals
  /** @default everything waits its turn */
  readonly terms?: AdmissionTerms
  readonly weight: number
  /** Data that no device can compute. */
  readonly poison: readonly number[]
  /** Items that are not what they should be. */
  readonly bad: readonly number[]
}

const POLICIES: readonly PolicyName[] = [
  'confluence',
  'confluence',
  'confluence',
  'ms-mdi',
  'pa-mdi',
  'backpressure',
  'ar-mdi'
]
const MEGABYTE = 1e6
/** Most are small: a cluster of twelve takes as long as ten of five. */
const SIZES = [...Array<number>(16).fill(5), 6, 6, 6, 6, 7, 7, 8, 9, 12]

/** A cluster, what it is to do and what goes wrong with it: all of it of the seed. */
export const scenarioOf = (seed: number): SimulatedScenario => {
  const rng = createRng(`simulated ${seed}`)
  const drawn = pick(rng, POLICIES)
  const count = pick(rng, SIZES)
  const models = range(pick(rng, [1, 1, 2])).map(m => modelOf(rng.fork(`model ${m}`), m, count))
  const whole = models.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0)
  const largest = Math.max(...models.flatMap(({ weights }) => weights))
  const isScarce = rng.next() < 0.5
  // Of a policy that needs whole models each must fit somewhere.
  const policy = !isScarce && rng.fork('whole').next() < 0.15 ? 'ddi' : drawn
  const clocks = rng.fork('clocks')
  const lanes = lanesOf(rng.fork('lanes'), count)
  const devices = range(count).map(n => ({
    name: `d${n}`,
    speed: round(0.25 + 1.5 * rng.next()),
    lanes: lanes[n]!,
    // Together more than twice what is needed, whoever of them is away for a while.
    memory: isScarce
      ? lanes[n]! * Math.ceil(Math.max(largest, (whole * (0.5 + 0.5 * rng.next())) as number))
      : Number.POSITIVE_INFINITY,
    wallOffset: clocks.next() < 0.7 ? 0 : Math.round(1e5 * (clocks.next() - 0.5))
  }))
  // Where one device alone has room for a block, half a minute passes before what fails there is given up.
  const mayPoison = !isScarce || rng.fork('poison').next() < 0.2
  const sources = range(pick(rng, [1, 1, 2, 2, 3]))
    .map(s => sourceOf(rng.fork(`source ${s}`), s, count, models.length))
    .map(source => (mayPoison ? source : { ...source, poison: [] }))
  const owners = models.flatMap(model => model.owners)
  const needed = new Set([...owners, ...sources.map(({ device }) => device)])
  return {
    seed,
    policy,
    devices,
    models,
    sources,
    startWhen: rng.next() < 0.3 ? 3 : 1,
    apart: apartOf(rng.fork('topology'), count),
    isPlanned: seed % 200 === 0,
    faults: faultSchedule(rng.fork('faults'), { devices: count, sources: sources.length, needed, owners })
  }
}

/** In some clusters devices run up to three blocks at once. */
const lanesOf = (rng: Rng, count: number): readonly number[] => {
  const most = rng.next() < 0.75 ? 1 : 3
  return range(count).map(() => 1 + Math.floor(most * rng.next()))
}

/** In some clusters: of each pair, but for those of neighbours in a ring, whether it is apart. */
const apartOf = (rng: Rng, count: number): (readonly [number, number])[] => {
  if (rng.next() < 0.8) return []
  const isNext = (a: number, b: number): boolean => b - a === 1 || b - a === count - 1
  return range(count).flatMap(a =>
    range(count).flatMap(b => (a < b && !isNext(a, b) && rng.next() < 0.5 ? [[a, b] as const] : []))
  )
}

const modelOf = (rng: Rng, m: number, devices: number) => {
  const blocks = 2 + Math.floor(4 * rng.next())
  const owner = Math.floor(devices * rng.next())
  return {
    name: `net${m}`,
    salt: Math.floor(1e6 * rng.next()),
    work: range(blocks).map(() => round(0.03 + 0.14 * rng.next())),
    weights: range(blocks).map(() => Math.ceil((10 + 90 * rng.next()) * MEGABYTE)),
    length: pick(rng, [4, 64, 1024]),
    skips: rng.next() < 0.5,
    batches: rng.fork('batches').next() < 0.5,
    isPinned: rng.next() < 0.15,
    owners: rng.next() < 0.2 ? [...new Set([owner, Math.floor(devices * rng.next())])] : [owner]
  }
}

const sourceOf = (rng: Rng, s: number, devices: number, models: number): SimulatedSource => {
  const count = 5 + Math.floor(10 * rng.next())
  const some = (share: number): number[] => range(count).filter(() => rng.next() < share)
  return {
    name: `s${s}`,
    device: Math.floor(devices * rng.next()),
    model: Math.floor(models * rng.next()),
    count,
    window: pick(rng, [1, 2, 4, 8, 16]),
    arrivals: pick(rng, [
      { kind: 'saturated' },
      { kind: 'every', interval: 0.2 as never },
      { kind: 'poisson', rate: 5 }
    ] as const),
    weight: pick(rng, [1, 1, 1, 2, 5]),
    poison: rng.next() < 0.2 ? some(0.05) : [],
    bad: rng.next() < 0.2 ? some(0.05) : []
  }
}

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
export const pick = <T>(rng: Rng, list: readonly T[]): T => list[Math.floor(list.length * rng.next())]!
const round = (x: number): number => Math.round(1000 * x) / 1000
