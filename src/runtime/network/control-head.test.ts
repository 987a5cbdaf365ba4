import { create, toBinary } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { notice } from '../device/notice.ts'
import { type Control, ControlSchema, ReplySchema } from '../generated/tributary/v1/wire_pb.ts'
import { controlHead } from './control-head.ts'

const encoded = (id: bigint, body: Control['body']): Uint8Array =>
  toBinary(ControlSchema, create(ControlSchema, { id, body }))
const reply = encoded(7n, { case: 'reply', value: create(ReplySchema, { error: 'no' }) })

test('a control message tells what it is before it is decoded', () => {
  expect(controlHead(reply)).toEqual({ id: 7n, kind: 'reply' })
  expect(controlHead(encoded(0n, { case: 'notice', value: notice('goodbye', {}) }))).toEqual({ id: 0n, kind: 'notice' })
  expect(controlHead(new Uint8Array())).toEqual({ id: 0n, kind: undefined })
})

test('one that holds more behind the answer that it says it is is no answer', () => {
  const more = encoded(0n, { case: 'notice', value: notice('goodbye', {}) })
  expect(controlHead(new Uint8Array([...reply, ...more])).kind).toBe(undefined)
})

test('what is cut short is no message', () => {
  expect(() => controlHead(reply.subarray(0, -1))).toThrow()
})
