import type { DeviceLog } from '../node/device-log.ts'
import { VERSION } from '../node/version.ts'
import type { Tracing } from '../telemetry/open-tracing.ts'
import type { CheckedOptions } from './check-join-options.ts'

/** @returns undefined where no traces are asked for @throws UserError `packageMissing` */
export const openLibraryTracing = async (
  { name: device, tracing }: CheckedOptions,
  { say }: DeviceLog
): Promise<Tracing | undefined> => {
  if (tracing === undefined) return undefined
  const { openProcessTracing } = await import('../telemetry/open-process-tracing.ts')
  const endpoint = tracing.endpoint === undefined ? undefined : new URL(tracing.endpoint)
  return openProcessTracing({ device, version: VERSION, share: tracing.sample, endpoint, say })
}
