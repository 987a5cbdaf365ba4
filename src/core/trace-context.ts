/** One span of a trace, by its names in W3C's Trace Context (https://www.w3.org/TR/trace-context/): lowercase hexadecimal. */
export interface TraceContext {
  /** 32 digits. */
  readonly traceId: string
  /** 16 digits. */
  readonly spanId: string
}
