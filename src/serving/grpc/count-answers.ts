import type * as Grpc from '@grpc/grpc-js'
import type { Answered } from '../answered.ts'

type Handlers = Readonly<Record<string, Grpc.handleUnaryCall<never, unknown>>>

/** The same handlers, whose answers are told of. */
export const countAnswers = (handlers: Handlers, answered: Answered): Handlers =>
  Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      (call, done) =>
        handler(call, (error, ...answer) => {
          answered(name, error?.code ?? 0)
          done(error, ...answer)
        })
    ])
  )
