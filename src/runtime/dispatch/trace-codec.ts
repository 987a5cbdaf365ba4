import type { TraceContext } from '../../core/trace-context.ts'

/** Of a trace's id and a span's. */
const LENGTHS = [16, 8] as const
const LENGTH = LENGTHS[0] + LENGTHS[1]
const NOTHING = new Uint8Array(0)

/** The bytes of both ids; none where the datum is not followed. */
export const traceToWire = (trace: TraceContext | undefined): Uint8Array<ArrayBuffer> => {
  if (trace === undefined) return NOTHING
  const digits = trace.traceId + trace.spanId
  return Uint8Array.from({ length: LENGTH }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** @throws Error in words for the sender */
export const traceFromWire = (bytes: Uint8Array): TraceContext | undefined => {
  if (bytes.length === 0) return undefined
  const ids = [bytes.subarray(0, LENGTHS[0]), bytes.subarray(LENGTHS[0])] as const
  if (bytes.length !== LENGTH || ids.some(id => id.every(byte => byte === 0)))
    throw new Error(`a trace of ${bytes.length} bytes that names none`)
  return { traceId: hex(ids[0]), spanId: hex(ids[1]) }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
