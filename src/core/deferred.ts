/** A promise and the means to settle it from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

/** A rejection that nobody waits for is no crash: the outcome is offered, not forced on anybody. */
export const deferred = <T = void>(): Deferred<T> => {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'>
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  promise.then(undefined, ignore)
  return { promise, resolve: settle!.resolve, reject: settle!.reject }
}

const ignore = (): void => {}
