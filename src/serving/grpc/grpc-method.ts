import type { DescMessage, Message } from '@bufbuild/protobuf'
import type { CancelSignal } from '../../core/cancel-signal.ts'

/** What a method is told of a call, beside its message. */
export interface GrpcCall {
  /** What its client says of it. */
  header(name: string): string | undefined
  /** Of all calls of one connection the same. */
  readonly connection: object
  /** Aborted when nobody waits for it any more. */
  readonly signal: CancelSignal
}

export interface GrpcMethod {
  readonly name: string
  readonly input: DescMessage
  readonly output: DescMessage
  /** One message is answered with one; or each of many with one, in their order. */
  readonly isStream: boolean
  /** Whether it is answered without a token. */
  readonly isOpen: boolean
  /**
   * @param reuse to be called where nobody reads the request's bytes any more: others may be given their memory
   * @throws ServingError
   */
  readonly answer: (request: Message, call: GrpcCall, reuse: () => void) => Message | Promise<Message>
}
