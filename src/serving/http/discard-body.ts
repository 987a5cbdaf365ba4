import type { IncomingMessage } from 'node:http'

/** Milliseconds in which nothing more comes. */
const SILENCE = 10_000

/**
 * Reads what nobody wants: a client that is still writing hears the answer only when it has written all. Resolves as well when it
 * falls silent or goes.
 */
export const discardBody = (request: IncomingMessage): Promise<void> =>
  new Promise(resolve => {
    const over = (): void => {
      request.socket.off('timeout', over)
      request.socket.setTimeout(0)
      resolve()
    }
    request.socket.setTimeout(SILENCE)
    request.socket.once('timeout', over)
    request.once('end', over).once('close', over).resume()
  })
