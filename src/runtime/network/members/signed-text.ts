import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type Signed, SignedSchema } from '../../generated/tributary/v1/wire_pb.ts'

/** For a file of text. */
export const signedText = (signed: Signed): string => Buffer.from(toBinary(SignedSchema, signed)).toString('base64')

/** @throws where the text is none */
export const parseSigned = (text: string): Signed => fromBinary(SignedSchema, Buffer.from(text, 'base64'))
