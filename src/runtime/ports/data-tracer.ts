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

/** A request that has no result: it was refused, or what became of it is no answer. */
export interface RefusedRequest {
  readonly model: string
  /** An instant of the device's clock. */
  readonly since: Seconds
  readonly parent: TraceParent
  /** A word for programs, as whoever asked was told. */
  readonly code: string
  readonly because: string
}

/** Chooses the data that are followed on their way through the cluster. */
export interface DataTracer {
  /** @returns what all that is done for it belongs to, wherever; undefined: it is not followed */
  begin(datum: AdmittedDatum): TraceContext | undefined
  /** One that is followed has gone out again: a device was lost, refused it, or took too long. @param attempt from 2 on */
  resent(datum: { readonly source: string; readonly datum: number; readonly attempt: number }): void
  /** A request that somebody else follows is not answered with a result. */
  refused(request: RefusedRequest): void
}
