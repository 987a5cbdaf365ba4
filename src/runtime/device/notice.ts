import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Notice, NoticeSchema } from '../generated/tributary/v1/wire_pb.ts'

type Body = NonNullable<MessageInitShape<typeof NoticeSchema>['body']>
type Case = Exclude<Body['case'], undefined>
type Value<C extends Case> = Extract<Body, { case: C }>['value']

/** A notice of one kind: notice('lost', { source, datum, attempt, device }). */
export const notice = <C extends Case>(kind: C, value: Value<C>): Notice =>
  create(NoticeSchema, { body: { case: kind, value } as Body })
