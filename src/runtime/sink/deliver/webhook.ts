import type { Clock } from '../../../core/clock.ts'
import { type Seconds, seconds } from '../../../core/units.ts'
import { parseSinkLine } from '../../ports/sink-entry.ts'
import { type Deliverer, Undelivered } from './deliver.ts'
import { withinTime } from './within-time.ts'

export interface WebhookOptions {
  /** http or https; a user and password in it become a header. */
  readonly url: URL
  /** For the header `Authorization: Bearer`. */
  readonly token?: string | undefined
  /** From the request to the whole answer. */
  readonly timeout: Seconds
  /** So many results make one request, a JSON list; one alone is no list. */
  readonly batch: number
  readonly clock: Clock
}

/** Who answers so will not take the same later either. */
const FINAL = [400, 413, 415, 422]

/** Posts results as JSON. What is answered counts by its status alone. */
export const webhook = ({ url, token, timeout, batch, clock }: WebhookOptions): Deliverer => {
  const { username, password } = url
  const target = new URL(url)
  target.username = target.password = ''
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const authorization = token !== undefined ? `Bearer ${token}` : username === '' ? undefined : `Basic ${basic}`
  const post = async (lines: readonly string[], signal: AbortSignal): Promise<Response> => {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'tributary',
      ...(authorization === undefined ? {} : { authorization }),
      ...(batch === 1 ? { 'idempotency-key': keyOf(lines[0]!) } : {})
    }
    const body = batch === 1 ? lines[0]! : `[${lines.join(',')}]`
    const response = await fetch(target, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return response
  }
  return {
    most: batch,
    deliver: async (lines, signal) => {
      const response = await withinTime({ timeout, clock, signal }, both => post(lines, both)).catch(error => {
        throw error instanceof Undelivered ? error : new Undelivered(`cannot be reached: ${causeOf(error)}`)
      })
      if (response.ok) return
      const said = `answers ${response.status} ${response.statusText}`.trimEnd()
      const to = response.headers.get('location')
      throw new Undelivered(to === null ? said : `${said}, to ${to}: name that`, {
        isFinal: FINAL.includes(response.status),
        after: retryAfter(response)
      })
    },
    close: async () => {}
  }
}

/** The same datum has the same, also when it is posted again after a failure. */
const keyOf = (line: string): string => {
  const { source, datum } = parseSinkLine(line)
  return `${encodeURIComponent(source)}/${datum}`
}

/** `fetch` says only that it failed; what did is its cause, or one of several. */
const causeOf = (error: unknown): string => {
  const { cause, message } = error as Error
  if (cause instanceof AggregateError) return causeOf({ message, cause: cause.errors[0] })
  if (!(cause instanceof Error)) return message
  const { code } = cause as NodeJS.ErrnoException
  return cause.message || code || message
}

const retryAfter = ({ headers }: Response): Seconds | undefined => {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,9}$/.test(text) ? seconds(Number(text)) : undefined
}
