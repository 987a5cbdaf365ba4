import { create } from '@bufbuild/protobuf'
import { UserError } from '../../core/user-error.ts'
import { type ClusterStatus, clusterStatusSchema } from '../../runtime/device/device-status.ts'
import { RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { Asker } from './open-asker.ts'

/** @throws UserError when it answers something else; NetworkError when it does not in time */
export const askStatus = async (asker: Asker): Promise<ClusterStatus> => {
  const reply = await asker.ask(create(RequestSchema, { body: { case: 'status', value: {} } }))
  if (reply.body.case !== 'status') throw new UserError(`the device answered: ${reply.error}`)
  return clusterStatusSchema.parse(JSON.parse(reply.body.value))
}
