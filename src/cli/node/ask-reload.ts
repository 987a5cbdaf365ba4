import { create } from '@bufbuild/protobuf'
import { UserError } from '../../core/user-error.ts'
import { RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { askDevice } from './ask-device.ts'
import type { AskOptions } from './open-asker.ts'
import { type ReloadReport, reloadReportSchema } from './reload-report.ts'

/** @returns what has changed @throws UserError when there is no device to ask, it does not answer in time, or it refuses its config */
export const askReload = async (options: AskOptions): Promise<ReloadReport> => {
  const reply = await askDevice(options, create(RequestSchema, { body: { case: 'reload', value: {} } }))
  if (reply.body.case !== 'reload') throw new UserError(reply.error)
  return reloadReportSchema.parse(JSON.parse(reply.body.value))
}
