import { VERSION } from '../../node/version.ts'
import type { Tracing } from '../../telemetry/open-tracing.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

/** Of OpenTelemetry, where it is asked for; what makes it is loaded only then. @throws UserError `packageMissing` */
export const openNodeTracing = async (
  { name: device, tracing }: NodeOptions,
  log: NodeLog
): Promise<Tracing | undefined> => {
  if (tracing === undefined) return undefined
  const { openProcessTracing } = await import('../../telemetry/open-process-tracing.ts')
  return openProcessTracing({ ...tracing, device, version: VERSION, say: (text, level) => log.say(text, level) })
}
