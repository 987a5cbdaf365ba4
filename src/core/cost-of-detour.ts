import type { LeastLeft } from './least-left.ts'
import type { PathQuery } from './path-query.ts'
import { blocksOf } from './progress.ts'
import { waitToRun } from './wait-to-run.ts'
import type { LinkView } from './world.ts'

/**
 * What the best of the paths costs that compute where the datum is, then on one other device, then, where they are back home, on
 * it again. O(K n).
 *
 * @param known of this query
 * @returns Infinity where there is none
 */
export const costOfDetour = (query: PathQuery, known: LeastLeft): number => {
  const { world, from, home, waiting } = query
  const before = costsBefore(query, known)
  const after = costsAfter(query, known)
  let best: Detour | undefined
  for (const there of world.links[from]!) {
    const back = there.to === home ? undefined : world.link(there.to, home)
    if (!isOpen(query, there) || (there.to !== home && (back === undefined || !isOpen(query, back)))) continue
    const detour = bestOver(query, known, {
      before,
      after,
      there,
      back,
      atMost: best?.cost ?? Number.POSITIVE_INFINITY
    })
    if (detour !== undefined) best = detour
  }
  if (best === undefined) return Number.POSITIVE_INFINITY
  return waiting === undefined ? best.cost : best.cost + waiting.price * waitOn(query, known, best)
}

interface Detour {
  readonly cost: number
  readonly there: LinkView
  readonly back: LinkView | undefined
  /** Blocks done when it leaves, and when it comes back. */
  readonly leave: number
  readonly comeBack: number
}

/** Nothing travels over who is no relay: it is not sure that something is computed there. */
const isOpen = ({ world, home }: PathQuery, { up, to }: LinkView): boolean =>
  up && world.devices[to]!.up && (to === home || world.devices[to]!.relays)

/** Of running blocks where the datum is, by blocks done then. */
const costsBefore = (query: PathQuery, known: LeastLeft): Float64Array => {
  const { world, model, from, done } = query
  const costs = new Float64Array(blocksOf(world, model) + 1)
  for (let k = done; k < costs.length - 1; k++) costs[k + 1] = costs[k]! + known.runs(query, from, k)
  return costs
}

/** Of running at home what is left, by blocks done. */
const costsAfter = (query: PathQuery, known: LeastLeft): Float64Array => {
  const { world, model, home, done } = query
  const costs = new Float64Array(blocksOf(world, model) + 1)
  for (let k = costs.length - 2; k >= done; k--) costs[k] = costs[k + 1]! + known.runs(query, home, k)
  return costs
}

const bestOver = (
  query: PathQuery,
  known: LeastLeft,
  parts: Pick<Detour, 'there' | 'back'> & {
    readonly before: Float64Array
    readonly after: Float64Array
    readonly atMost: number
  }
): Detour | undefined => {
  const { world, model, done, price, latencyPrice } = query
  const { there, back, before, after } = parts
  const { activations } = world.models[model]!
  const [perByte, delay] = [price(there.resource) / there.rate, latencyPrice * there.latency]
  const [perByteBack, delayBack] =
    back === undefined ? [0, 0] : [price(back.resource) / back.rate, latencyPrice * back.latency]
  let cost = parts.atMost
  let [leave, comeBack] = [-1, -1]
  let [soFar, left] = [Number.POSITIVE_INFINITY, done]
  for (let k = done; k < before.length; k++) {
    const enters = before[k]! + perByte * activations[k]! + delay
    if (enters < soFar) [soFar, left] = [enters, k]
    const whole = soFar + perByteBack * activations[k]! + delayBack + after[k]!
    if (whole < cost) [cost, leave, comeBack] = [whole, left, k]
    if (k < before.length - 1) soFar += known.runs(query, there.to, k)
  }
  return leave === -1 ? undefined : { cost, there, back, leave, comeBack }
}

/** Seconds that a datum waits on this way, as the search counts them. */
const waitOn = (query: PathQuery, known: LeastLeft, { there, back, leave, comeBack }: Detour): number => {
  const { world, model, from, home, done, waiting } = query
  const { activations, work } = world.models[model]!
  let [elapsed, waited] = [0, 0]
  const use = (wait: number, takes: number): void => {
    waited += wait
    elapsed += wait + takes
  }
  const run = (device: number, first: number, end: number): void => {
    for (let k = first; k < end; k++) {
      const takes = known.times[k * world.devices.length + device]!
      use(waitToRun(query, device, takes, elapsed), takes)
    }
  }
  const send = ({ resource, rate, latency }: LinkView, done: number): void =>
    use(Math.max(0, waiting!.until(resource) - elapsed), activations[done]! / rate + latency)
  run(from, done, leave)
  send(there, leave)
  run(there.to, leave, comeBack)
  if (back !== undefined) send(back, comeBack)
  run(home, comeBack, work.length)
  return waited
}
