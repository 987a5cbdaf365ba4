import { formatSeconds } from './format-quantity.ts'
import type { Scenario } from './scenario.ts'
import { UserError } from './user-error.ts'

/** Seconds of work in a datum, at least, at the fastest device: planners count in numbers from a billionth on. */
const LEAST_WORK = 1e-7

/**
 * A source whose data take no time where they are born can be served at any rate, whatever its links are: there is no plan
 * for that.
 * @throws UserError for a model of sizes and times whose blocks have no work
 */
export const refuseFreeModels = ({ models, devices, events }: Scenario, origin: string): void => {
  const speeds = [...devices, ...events].flatMap(of => ('speed' in of ? [of.speed] : []))
  const least = LEAST_WORK * speeds.reduce((a, b) => Math.max(a, b), 1)
  for (const model of models) {
    const isAsked = devices.some((_, n) => model.times?.[n] === undefined)
    const work = model.kind === 'file' ? least : model.blocks.reduce((sum, block) => sum + block.work, 0)
    if (work < least && isAsked)
      throw new UserError(
        `${origin}: models.${model.name}.blocks: work is ${work === 0 ? '0 s' : formatSeconds(work)} in all, too little to plan for: a source could be served at any rate; give a block work, ${formatSeconds(least)} or more`
      )
    const free = model.times?.findIndex(
      (times, n) => times !== undefined && leastTime(times, n, { devices, events }) < LEAST_WORK
    )
    if (free !== undefined && free !== -1)
      throw new UserError(
        `${origin}: models.${model.name}.times.${devices[free]!.name}: less than ${formatSeconds(LEAST_WORK)} in all, too little to plan for: a source could be served at any rate; give longer times`
      )
  }
}

/** Of a datum on the device, at the highest speed that it ever has. */
const leastTime = (
  times: readonly number[],
  n: number,
  { devices, events }: Pick<Scenario, 'devices' | 'events'>
): number => {
  const { speed } = devices[n]!
  const fastest = events.reduce(
    (most, e) => (e.kind === 'speed' && e.device === n ? Math.max(most, e.speed) : most),
    speed
  )
  return (times.reduce((a, b) => a + b, 0) * speed) / fastest
}
