import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { z } from 'zod'
import { UserError } from '../../core/user-error.ts'
import { type MembersRequestSchema, RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { askDevice } from './ask-device.ts'
import type { AskOptions } from './open-asker.ts'

type Body = NonNullable<MessageInitShape<typeof MembersRequestSchema>['body']>

/** @throws UserError when there is no device to ask, it does not answer in time, or it cannot do what is asked, with why */
export const askMembers = async <T>(options: AskOptions, body: Body, schema: z.ZodType<T>): Promise<T> => {
  const reply = await askDevice(options, create(RequestSchema, { body: { case: 'members', value: { body } } }))
  if (reply.body.case !== 'members' || reply.body.value.body.case !== 'told') throw new UserError(reply.error)
  return schema.parse(JSON.parse(reply.body.value.body.value))
}
