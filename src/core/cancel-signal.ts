/** What of an `AbortSignal` is needed to hear that nobody waits any more. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(event: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener(event: 'abort', listener: () => void): void
}
