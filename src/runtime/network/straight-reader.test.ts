import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type MessageShape,
  ScalarType,
  toBinary
} from '@bufbuild/protobuf'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Control, ControlSchema, type Frame, FrameSchema } from '../generated/tributary/v1/wire_pb.ts'
import { controlFromBytes, frameFromBytes, writeControl, writeFrame } from '../generated/tributary/v1/wire_straight.ts'
import { BackwardWriter } from './backward-writer.ts'

const SCALARS: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: fc.oneof(
    fc.constantFrom('', 'x', 'ä', '12D3KooW'),
    fc.string({ unit: 'grapheme', maxLength: 200 })
  ),
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 40 }),
  [ScalarType.UINT32]: fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffffffff })),
  [ScalarType.UINT64]: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n)),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.DOUBLE]: fc.double()
}

const anyOf = (field: DescField): fc.Arbitrary<unknown> => {
  if (field.fieldKind === 'map') return fc.constant({})
  if (field.message !== undefined) return messageOf(field.message)
  const scalar = SCALARS[field.scalar!]
  if (scalar === undefined) throw new Error(`${field} has a type that this test does not know`)
  return scalar
}

/** Anything that a message of this description may be. */
const messageOf = (description: DescMessage): fc.Arbitrary<object> =>
  fc
    .record(
      Object.fromEntries(
        description.members.map(member => {
          if (member.kind === 'field') {
            const one = fc.memo(() => anyOf(member))(1)
            return [member.localName, member.fieldKind === 'list' ? fc.array(one, { maxLength: 3 }) : one]
          }
          const cases = member.fields.map(field =>
            fc
              .memo(() => anyOf(field))(1)
              .map(value => ({ case: field.localName, value }))
          )
          return [member.localName, fc.oneof(...cases)]
        })
      ),
      { requiredKeys: [] }
    )
    .map(init => create(description, init))

const writer = new BackwardWriter()
const written = (write: (to: BackwardWriter) => void): Uint8Array => {
  writer.begin()
  write(writer)
  return writer.finish()
}

const frames = messageOf(FrameSchema) as fc.Arbitrary<Frame>
const controls = messageOf(ControlSchema) as fc.Arbitrary<Control>

/** What becomes of bytes: a message, or nothing. */
const outcome = (read: () => object): object | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

interface Straight<S extends DescMessage> {
  readonly schema: S
  readonly messages: fc.Arbitrary<MessageShape<S>>
  readonly write: (to: BackwardWriter, message: MessageShape<S>) => void
  readonly read: (bytes: Uint8Array) => object
}

const expectAsLibrary = <S extends DescMessage>({ schema, messages, write, read }: Straight<S>): void =>
  fc.assert(
    fc.property(messages, message => {
      const bytes = written(to => write(to, message))
      expect(bytes).toEqual(toBinary(schema, message))
      expect(read(bytes)).toEqual(fromBinary(schema, bytes))
    })
  )

test('frames are written and read as the library does', () =>
  expectAsLibrary({ schema: FrameSchema, messages: frames, write: writeFrame, read: frameFromBytes }))

test('control messages are, too', () =>
  expectAsLibrary({ schema: ControlSchema, messages: controls, write: writeControl, read: controlFromBytes }))

test('bytes that are not as they were written are what the library takes them for', () => {
  const changed = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3), twice: fc.boolean() })
  fc.assert(
    fc.property(frames, changed, (frame, { at, byte, cut, twice }) => {
      const whole = toBinary(FrameSchema, frame)
      const bytes = new Uint8Array(twice ? [...whole, ...whole] : whole).slice(0, whole.length * (twice ? 2 : 1) - cut)
      if (bytes.length > 0) bytes[at % bytes.length] = byte
      const known = outcome(() => fromBinary(FrameSchema, bytes))
      expect(outcome(() => frameFromBytes(bytes))).toEqual(known)
    }),
    { numRuns: 1000 }
  )
})

test('a part that ends within a field, which the library reads on behind it, is what the library takes it for', () => {
  const bytes = new Uint8Array([8 * FrameSchema.field.probe.number + 2, 1, 0x32, 0])
  const known = outcome(() => fromBinary(FrameSchema, bytes))
  expect(known).toBeDefined()
  expect(outcome(() => frameFromBytes(bytes))).toEqual(known)
})

test('fields of a newer version are kept', () => {
  const bytes = new Uint8Array([...toBinary(FrameSchema, create(FrameSchema, { id: 3n })), 0xa0, 0x06, 1])
  expect(frameFromBytes(bytes)).toEqual(fromBinary(FrameSchema, bytes))
  expect(frameFromBytes(bytes).$unknown).toHaveLength(1)
})
