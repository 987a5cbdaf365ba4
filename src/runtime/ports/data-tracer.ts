import type { TraceParent } from '../../core/parse-traceparent.ts'
import type { TraceContext } from '../../core/trace-context.ts'
import type { Seconds } from '../../core/units.ts'

/** A datum that is admitted; instants of the device's clock. */
export interface AdmittedDatum {
  /** The source's id. */
  readonly source: string
  readonly datum: number
  readonly available: Seconds
  /** Of whoever asked for it, where that was told. */
  readonly parent: TraceParent | undefined
}

/** Chooses the data that are followed on their way through the cluster. */
export interface DataTracer {
  /** @returns what all that is done for it belongs to, wherever; undefined: it is not followed */
  begin(datum: AdmittedDatum): TraceContext | undefined
}
