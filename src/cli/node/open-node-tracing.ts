import { VERSION } from '../../node/version.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { Tracing } from '../../telemetry/open-tracing.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

/** Of OpenTelemetry, where it is asked for; what makes it is loaded only then. @throws UserError `packageMissing` */
export const openNodeTracing = async (
  { name: device, tracing }: NodeOptions,
  log: NodeLog
): Promise<Tracing | undefined> => {
  if (tracing === undefined || process.env['OTEL_SDK_DISABLED'] === 'true') return undefined
  const { openTracing } = await import('../../telemetry/open-tracing.ts')
  const opened = await openTracing({
    ...{ ...tracing, device, version: VERSION, environment: process.env, clock: systemClock, wallTime },
    chance: Math.random,
    say: (text, level) => log.say(text, level)
  })
  const percent = Number((100 * opened.share).toPrecision(3))
  log.say(`${percent} % of the data from here are followed; traces go to ${opened.to}`)
  return opened
}
