import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { ServingError } from '../serving-error.ts'

/**
 * Refuses what a page of another site has its reader's browser ask. Only browsers say where a request comes from; other programs are not
 * held up. Where no token is asked for, the name under which the node is asked must be none that such a page could have made up.
 * @param hasToken whether who asks must bring one
 */
export const refuseOtherSites = ({
  headers,
  hasToken
}: {
  readonly headers: IncomingHttpHeaders
  readonly hasToken: boolean
}): void => {
  const { host, origin } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit(headers)) throw fromElsewhere()
  if (origin !== undefined && hostIn(origin) !== host) throw fromElsewhere()
  if (site !== undefined && !hasToken && !isPlainName(host ?? ''))
    throw new ServingError(
      'otherSite',
      'a browser reaches this node by an address or as localhost, unless the node asks for a token'
    )
}

const fromElsewhere = (): ServingError => new ServingError('otherSite', 'pages of other sites are not answered')

/** Somebody followed a link. */
const isVisit = (headers: IncomingHttpHeaders): boolean => headers['sec-fetch-mode'] === 'navigate'

const hostIn = (origin: string): string => {
  try {
    return new URL(origin).host
  } catch {
    return ''
  }
}

/** An address, or a name that no server of names on the internet answers for. */
const isPlainName = (host: string): boolean => {
  const name = host.replace(/:\d+$/, '')
  return isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === 'localhost' || name.endsWith('.local')
}
