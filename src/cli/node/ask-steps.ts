import { create } from '@bufbuild/protobuf'
import { UserError } from '../../core/user-error.ts'
import { type ClusterSteps, clusterStepsSchema } from '../../runtime/device/steps/cluster-steps.ts'
import { RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { Asker } from './open-asker.ts'

/** Of each device. */
const MOST = 4096

/** What all devices did lately for one source. @param source its name, or its id @throws UserError, NetworkError */
export const askSteps = async (asker: Asker, source: string, datum: number | undefined): Promise<ClusterSteps> => {
  const value = { all: true, most: MOST, source, ...(datum === undefined ? {} : { datum: BigInt(datum) }) }
  const reply = await asker.ask(create(RequestSchema, { body: { case: 'steps', value } }))
  if (reply.body.case !== 'steps') throw new UserError(`the device answered: ${reply.error}`)
  return clusterStepsSchema.parse(JSON.parse(reply.body.value))
}
