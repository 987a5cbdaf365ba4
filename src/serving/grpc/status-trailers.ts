import type { OutgoingHttpHeaders } from 'node:http2'
import type { ServingError } from '../serving-error.ts'

/** Characters: clients take headers of some kilobytes in all. */
const LONGEST_MESSAGE = 1000

/** How a call ended. @param error undefined: well */
export const statusTrailers = (error: ServingError | undefined): OutgoingHttpHeaders => {
  if (error === undefined) return { 'grpc-status': '0' }
  const { grpcStatus, retryAfter, message } = error
  return {
    'grpc-status': String(grpcStatus),
    'grpc-message': percentEncoded(message),
    ...(error.problem === 'unsupported' ? { 'grpc-accept-encoding': 'identity,deflate,gzip' } : {}),
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
  }
}

/** Whatever is not printable ASCII, and the per cent sign itself, by the bytes of UTF-8. */
const percentEncoded = (text: string): string =>
  Buffer.from(text.slice(0, LONGEST_MESSAGE))
    .toString() // a half of a pair becomes a sign of its own
    .replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent)
