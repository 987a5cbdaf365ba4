import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { ServingError } from '../serving-error.ts'

interface Asked {
  readonly headers: IncomingHttpHeaders
  /** Whether who asks must bring one. */
  readonly hasToken: boolean
  /** What this machine is called by itself. */
  readonly ownName: string
}

/**
 * Refuses what a page of another site has its reader's browser ask. Such a page may have made a name of its own point here, and
 * over http browsers do not say where such a request comes from. So where no token is asked for, whoever asks does it by an address or by a
 * name that is in no directory of the internet.
 */
export const refuseOtherSites = ({ headers, hasToken, ownName }: Asked): void => {
  const { host, origin } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit(headers)) throw fromElsewhere()
  if (origin !== undefined && hostIn(origin) !== host) throw fromElsewhere()
  if (!hasToken && host !== undefined && !isOwnName(host.toLowerCase(), ownName.toLowerCase()))
    throw new ServingError(
      'otherSite',
      'without a token this node is asked by an address, as localhost, or by a name of the local network: use one of these, or give the node a token'
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

/** Ends of names that the internet's directory has not and will not have. */
const LOCAL_ENDS = /\.(?:local|localhost|internal|lan|home\.arpa|svc)$/

/** An address, a name without dots, as services in containers have them, or one of the local network. */
const isOwnName = (host: string, ownName: string): boolean => {
  const name = host.replace(/:\d+$/, '')
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.')) return true
  return LOCAL_ENDS.test(name) || name === ownName
}
