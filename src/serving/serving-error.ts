import { RequestError, type RequestProblem } from '../runtime/device/requests/request-error.ts'

/** Each as the protocol's two transports say it. */
const STATUSES = {
  badRequest: { http: 400, grpc: 3 },
  badToken: { http: 401, grpc: 16 },
  otherSite: { http: 403, grpc: 7 },
  notAllowed: { http: 403, grpc: 7 },
  noSuchModel: { http: 404, grpc: 5 },
  noSuchPath: { http: 404, grpc: 12 },
  tooSlow: { http: 408, grpc: 4 },
  tooLarge: { http: 413, grpc: 8 },
  failed: { http: 500, grpc: 13 },
  internal: { http: 500, grpc: 13 },
  unsupported: { http: 501, grpc: 12 },
  notReady: { http: 503, grpc: 14 },
  stopped: { http: 503, grpc: 14 },
  queueFull: { http: 503, grpc: 8 },
  deadline: { http: 503, grpc: 4 },
  cancelled: { http: 499, grpc: 1 }
} as const satisfies Record<RequestProblem | string, { readonly http: number; readonly grpc: number }>

export type ServingProblem = keyof typeof STATUSES

/** Seconds after which a client may try again, where that may help. */
const TRY_AGAIN: Partial<Record<ServingProblem, number>> = { notReady: 2, queueFull: 1, stopped: 5, deadline: 1 }

/** What a client is answered with instead of an answer. */
export class ServingError extends Error {
  override readonly name = 'ServingError'
  readonly problem: ServingProblem

  constructor(problem: ServingProblem, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.problem = problem
  }

  get httpStatus(): number {
    return STATUSES[this.problem].http
  }

  get grpcStatus(): number {
    return STATUSES[this.problem].grpc
  }

  get retryAfter(): number | undefined {
    return TRY_AGAIN[this.problem]
  }
}

/** @returns it as what a client is told; what nobody expected says no more than that */
export const asServingError = (error: unknown): ServingError => {
  if (error instanceof ServingError) return error
  if (error instanceof RequestError) return new ServingError(error.problem, error.message)
  return new ServingError('internal', error instanceof Error ? error.message : String(error))
}
