import { formatBytes } from '../core/format-quantity.ts'
import { type Bytes, bytes } from '../core/units.ts'
import { type Allowance, UNLIMITED } from './allowance.ts'
import { blockTime } from './block-time.ts'
import { capacityBound } from './capacity-bound.ts'
import type { CapacityProblem } from './capacity-problem.ts'
import type { Plan } from './plan.ts'
import type { SolveLp } from './solve-lp.ts'
import { tightResources } from './tight-resources.ts'

export interface Explanation {
  /** What is busiest, in words. */
  readonly bottleneck: string
  /** What more of it would give, and more memory. */
  readonly gains: readonly string[]
  /** Scale that each source alone at home, and whole inputs sent to whole models, would reach; 0: cannot. */
  readonly local: number
  /** undefined where there was no time to find out. */
  readonly ddi: number | undefined
  readonly pays: string
}

/** What is served, and what would be without memory limits. */
type Explained = Pick<Plan, 'free' | 'predicted'>

/** A plan in words: the bottleneck, what more speed, bandwidth or memory would give, whether distributing pays. */
export const explainPlan = (
  problem: CapacityProblem,
  plan: Explained,
  solve: SolveLp,
  time: Allowance = UNLIMITED
): Explanation => {
  const local = localScale(problem)
  const ddi = ddiScale(problem, solve, time)
  return {
    bottleneck: bottleneck(problem, plan),
    gains: [...resourceGains(problem, plan), ...memoryGain(problem, plan)],
    local,
    ddi,
    pays: whetherItPays(plan.predicted.scale, local, ddi)
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`

const bottleneck = (problem: CapacityProblem, { predicted }: Explained): string => {
  const tight = tightResources(problem, predicted)
  if (tight.length === 0) return 'nothing: no resource limits the rate'
  const shown = tight.map(({ name, kind, use }) => `${kind} ${name} (${percent(use)} busy)`)
  return shown.join(', ')
}

/** By the duals: a tenth more of a resource is a tenth of its shadow price more scale. */
const resourceGains = (problem: CapacityProblem, { predicted }: Explained): string[] =>
  tightResources(problem, predicted).map(({ name, kind, gain }) => {
    const what = kind === 'device' ? 'speed on' : kind === 'link' ? 'bandwidth on link' : 'bandwidth on the medium'
    return `10 % more ${what} ${name} would serve ${percent(0.1 * gain)} more`
  })

const memoryGain = (problem: CapacityProblem, { free, predicted }: Explained): string[] => {
  if (problem.devices.every(({ memory }) => memory === Number.POSITIVE_INFINITY)) return []
  // A search that was cut off does not know what memory would give.
  if (free.scale < (1 - SETTLED) * free.upper) return []
  const more = free.scale / predicted.scale - 1
  if (more < 0.005) return ['more memory would give nothing']
  const models = new Set(problem.sources.map(({ model }) => model))
  const all = [...models].reduce((sum, m) => sum + problem.models[m]!.weights.reduce((a, b) => a + b, 0), 0)
  return [`memory for every block everywhere (${formatBytes(bytes(all))} a device) would serve ${percent(more)} more`]
}

/** Every source on its own device; 0 where one cannot carry its models. */
const localScale = (problem: CapacityProblem): number => {
  const { devices, models, sources } = problem
  const used = new Map<number, { time: number; models: Set<number> }>()
  for (const { device, model, demand } of sources) {
    const entry = used.get(device) ?? { time: 0, models: new Set<number>() }
    entry.time += demand * models[model]!.work.reduce((sum, _, k) => sum + blockTime(problem, device, model, k), 0)
    entry.models.add(model)
    used.set(device, entry)
  }
  let scale = Number.POSITIVE_INFINITY
  for (const [n, { time, models: carried }] of used) {
    const needs = [...carried].reduce((sum, m) => sum + models[m]!.weights.reduce((a, b) => a + b, 0), 0)
    scale = Math.min(scale, needs <= devices[n]!.memory ? 1 / time : 0)
  }
  return scale
}

/** The same network with every model in one block, or two where the first is pinned. */
const ddiScale = (problem: CapacityProblem, solve: SolveLp, time: Allowance): number | undefined => {
  if (!time.mayGoOn()) return undefined
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0)
  const models = problem.models.map(model => {
    const { work, weights, activations, times, pinned } = model
    const apart = pinned === true && work.length > 1 ? 1 : 0
    const merged = <T extends number>(all: readonly T[]): readonly T[] => [
      ...all.slice(0, apart),
      sum(all.slice(apart)) as T
    ]
    return {
      ...model,
      work: merged(work),
      weights: merged(weights),
      activations: [...activations.slice(0, apart + 1), activations.at(-1)!] as readonly Bytes[],
      times: times?.map(of => (of === undefined ? undefined : merged(of)))
    }
  })
  const whole = { ...problem, models }
  const fits = (n: number, m: number, k: number): boolean =>
    (k < models[m]!.work.length - 1 ? models[m]!.weights[k]! : sum(models[m]!.weights)) <= problem.devices[n]!.memory
  const outcome = capacityBound(whole, fits, solve, { time, startTime: time })
  if (outcome.kind === 'infeasible') return 0
  return outcome.kind === 'bound' && outcome.bound.gap < SETTLED ? outcome.bound.scale : undefined
}

/** Of a bound that is compared with. */
const SETTLED = 0.01

const whetherItPays = (scale: number, local: number, ddi: number | undefined): string => {
  if (ddi === undefined) return 'whether distributing the model pays: there was no time to compare'
  const best = Math.max(local, ddi)
  const against = (name: string, other: number): string =>
    other > 0 ? `${(scale / other).toFixed(2)} times what ${name} can` : `${name} cannot run here`
  const verdict = scale > 1.02 * best ? 'distributing the model pays' : 'distributing the model does not pay here'
  return `${verdict}: ${against('local', local)}, ${against('ddi', ddi)}`
}
