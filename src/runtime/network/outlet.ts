import type { Stream, StreamCloseEvent } from '@libp2p/interface'

/** One long-lived outgoing stream, opened when first needed and again after it was lost. */
export class Outlet {
  readonly #open: () => Promise<Stream>
  readonly #onLost: (error: Error) => void
  #stream: Promise<Stream> | undefined

  /** @param onLost told when the other side or the connection ended the stream, not when `drop` did */
  constructor(open: () => Promise<Stream>, onLost: (error: Error) => void) {
    this.#open = open
    this.#onLost = onLost
  }

  /** @throws whatever opening throws; the next call tries again */
  get = (): Promise<Stream> => {
    this.#stream ??= this.#begin()
    return this.#stream
  }

  #begin(): Promise<Stream> {
    const opening: Promise<Stream> = this.#open().then(
      stream => {
        if (this.#stream !== opening) {
          stream.abort(new Error('no longer needed'))
          throw new Error('the stream was dropped while it was opened')
        }
        stream.addEventListener('close', (event: StreamCloseEvent) => {
          if (this.#stream !== opening) return
          this.#stream = undefined
          this.#onLost(event.error ?? new Error('the stream was closed'))
        })
        return stream
      },
      (error: unknown) => {
        if (this.#stream === opening) this.#stream = undefined
        throw error
      }
    )
    return opening
  }

  /** Reset the stream, so that nothing half sent is read on. */
  drop = (error: Error): void => {
    const dropped = this.#stream
    this.#stream = undefined
    dropped?.then(
      stream => stream.abort(error),
      () => {}
    )
  }
}
