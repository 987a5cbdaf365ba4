import { systemClock, wallTime } from '../runtime/system-clock.ts'
import { openTracing, type Tracing, type TracingOptions } from './open-tracing.ts'

export type ProcessTracingOptions = Pick<TracingOptions, 'device' | 'version' | 'share' | 'endpoint' | 'say'>

/** By this process's clock and environment. @returns undefined where the environment turns it off @throws UserError `packageMissing` */
export const openProcessTracing = async (options: ProcessTracingOptions): Promise<Tracing | undefined> => {
  if (process.env['OTEL_SDK_DISABLED'] === 'true') return undefined
  const opened = await openTracing({
    ...{ ...options, environment: process.env, clock: systemClock, wallTime },
    chance: Math.random
  })
  const percent = Number((100 * opened.share).toPrecision(3))
  options.say(`${percent} % of the data from here are followed; traces go to ${opened.to}`)
  return opened
}
