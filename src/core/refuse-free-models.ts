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
    if (model.kind !== 'synthetic') continue
    const work = model.blocks.reduce((sum, block) => sum + block.work, 0)
    if (work < least)
      throw new UserError(
        `${origin}: models.${model.name}.blocks: work is ${work === 0 ? '0 s' : formatSeconds(work)} in all, too little to plan for: a source could be served at any rate; give a block work, ${formatSeconds(least)} or more`
      )
  }
}
