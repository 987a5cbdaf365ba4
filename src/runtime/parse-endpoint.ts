import { isIP } from 'node:net'
import { UserError } from '../core/user-error.ts'

/** Where something listens. */
export interface Endpoint {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** Only this machine reaches it. */
const LOOPBACK = '127.0.0.1'
const FORM = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/

/**
 * "[HOST:]PORT": without a host, of this machine alone. An IPv6 address stands in brackets.
 * @throws UserError with flag, value and form
 */
export const parseEndpoint = (flag: string, text: string): Endpoint => {
  const [, inBrackets, word, digits] = FORM.exec(text) ?? []
  const port = Number(digits)
  const host = inBrackets ?? word ?? LOOPBACK
  const isHost = inBrackets === undefined ? isIP(host) === 4 || isName(host) : isIP(inBrackets) === 6
  if (digits !== undefined && port <= 65_535 && isHost) return { host, port }
  throw new UserError(
    `${flag} "${text}" must be PORT or HOST:PORT, like 9100, 0.0.0.0:9100 or [::1]:9100; without a host only this machine reaches it`
  )
}

/** A name of the network, not an address that is none. */
const isName = (host: string): boolean => /^(?=.*[a-z])[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?$/i.test(host)
