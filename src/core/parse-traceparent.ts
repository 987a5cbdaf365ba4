import type { TraceContext } from './trace-context.ts'

/** The span of whoever asks, and whether its trace is recorded. */
export interface TraceParent extends TraceContext {
  readonly isSampled: boolean
}

/** Later versions may append fields. */
const FORM = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-|$)/
const LONGEST = 512

/** @returns undefined where it is none: then the trace begins here */
export const parseTraceparent = (text: string | undefined): TraceParent | undefined => {
  if (text === undefined || text.length > LONGEST) return undefined
  const [, version, traceId, spanId, flags, end] = FORM.exec(text) ?? []
  if (version === undefined || (version === '00' && end !== '')) return undefined
  return { traceId: traceId!, spanId: spanId!, isSampled: (Number.parseInt(flags!, 16) & 1) === 1 }
}
