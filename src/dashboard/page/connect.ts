import type { StatusChange } from '../status-feed.ts'
import { ask } from './ask.ts'
import { token } from './token.ts'

export type Connection = 'connecting' | 'live' | 'lost' | 'token' | 'wrongToken'

export interface ConnectParts {
  readonly onChange: (change: StatusChange) => void
  /** Before what comes is all of it again. */
  readonly onBegin: () => void
  readonly onConnection: (connection: Connection) => void
}

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 8000

const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))

/** Hears what changes for as long as the page is there; comes back by itself. Ends where a token is asked for. */
export const connect = async ({ onChange, onBegin, onConnection }: ConnectParts): Promise<void> => {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const answer = await ask('api/live')
      if (answer.status === 401) return onConnection(token.get() === '' ? 'token' : 'wrongToken')
      if (!answer.ok || answer.body === null) throw new Error(`answered ${answer.status}`)
      onBegin()
      onConnection('live')
      pause = FIRST_PAUSE
      await read(answer.body, onChange)
    } catch {
      // The node is away, or does not answer in this way: it is asked again.
    }
    onConnection('lost')
    await sleep(pause)
  }
}

/** Server-sent events, each with one line of data. A token in a header is more than the browser's own reader of them can send. */
const read = async (body: ReadableStream<Uint8Array>, onChange: (change: StatusChange) => void): Promise<void> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      if (event.startsWith('data: ')) onChange(JSON.parse(event.slice('data: '.length)) as StatusChange)
    }
  }
}
