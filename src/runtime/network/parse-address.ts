import { isIP } from 'node:net'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { UserError } from '../../core/user-error.ts'
import { isPeerId } from './peer-id.ts'
import { redact } from './redact.ts'
import type { WireTransport } from './wire-transport.ts'

/** Where the address is used decides what it may be: one listens on a port of this machine, and joins a known port. */
export type AddressUse = 'listen' | 'join'

const SHAPES = 'host:port, [ip6]:port or a multiaddr like /ip4/192.168.1.5/tcp/4001'

const refuse = (text: string, use: AddressUse, because: string): UserError =>
  new UserError(redact(`cannot ${use} "${text}": ${because}; write ${SHAPES}`), {
    code: 'badAddress',
    facts: { address: redact(text), use }
  })

const parsePort = (text: string, port: string, use: AddressUse): number => {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN
  if (!(number <= 65535)) throw refuse(text, use, `port "${port}" is not a number from 0 to 65535`)
  if (number === 0 && use === 'join') throw refuse(text, use, 'port 0 cannot be dialled')
  return number
}

const hostPart = (text: string, host: string, use: AddressUse): string => {
  if (host === '' && use === 'listen') return '/ip4/0.0.0.0'
  const name = host === 'localhost' ? '127.0.0.1' : host
  const family = isIP(name)
  if (family !== 0) return `/ip${family}/${name}`
  if (use === 'listen') throw refuse(text, use, `"${host}" is not an IP address of this machine`)
  const isName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?$/i.test(name)
  if (!isName) throw refuse(text, use, `"${host}" is neither an IP address nor a host name`)
  return `/dns/${name}`
}

const fromHostAndPort = (text: string, use: AddressUse): Multiaddr => {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text)
  if (match === null) throw refuse(text, use, 'it has no port')
  const port = parsePort(text, match[3] ?? '', use)
  return multiaddr(`${hostPart(text, match[1] ?? match[2] ?? '', use)}/tcp/${port}`)
}

const HOSTS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6']
const P2P = 421

/** Whether it is a host, a TCP port, and at most a peer after it. */
export const isTcp = (address: Multiaddr): boolean => {
  const [host, transport, ...rest] = address.getComponents().map(({ name }) => name)
  return HOSTS.includes(host ?? '') && transport === 'tcp' && rest.length <= 1 && (rest[0] ?? 'p2p') === 'p2p'
}

const fromMultiaddr = (text: string, use: AddressUse, spoken: Spoken): Multiaddr => {
  let address: Multiaddr
  try {
    address = multiaddr(text)
  } catch (error) {
    throw refuse(text, use, error instanceof Error ? error.message : String(error))
  }
  const components = address.getComponents()
  const names = components.map(part => part.name)
  const hosts = use === 'listen' ? ['ip4', 'ip6'] : HOSTS
  if (!hosts.includes(names[0] ?? '')) throw refuse(text, use, `it must begin with one of /${hosts.join(', /')}`)
  if (!spoken.speaks(address)) {
    const rest = names.slice(2).filter(name => name !== 'p2p')
    const known = names[1] === 'tcp' && rest.length > 0 ? `/${rest.join('/')} is not known here` : ''
    throw refuse(text, use, known || `only ${spoken.name} is spoken here`)
  }
  if (names[1] === 'tcp' || names[1] === 'udp') parsePort(text, components[1]?.value ?? '', use)
  const peer = components.at(-1)!
  if (peer.name === 'p2p' && !isPeerId(peer.value ?? '')) throw refuse(text, use, `"${peer.value}" is not a peer id`)
  return use === 'listen' ? withoutPeer(address) : address
}

export const withoutPeer = (address: Multiaddr): Multiaddr => address.decapsulateCode(P2P)

/** What a build speaks: all of its transports together. */
export type Spoken = Pick<WireTransport, 'name' | 'speaks'>

const TCP: Spoken = { name: '/tcp', speaks: isTcp }

/**
 * "127.0.0.1:0", "[::1]:4001", ":4001" (to listen everywhere), "porch.local:4001" (to join) or a multiaddr that is spoken
 * here, with or without /p2p/ID.
 * @throws UserError `badAddress` when it is none of these
 */
export const parseAddress = (text: string, use: AddressUse, spoken: Spoken = TCP): Multiaddr => {
  const trimmed = text.trim()
  return trimmed.startsWith('/') ? fromMultiaddr(trimmed, use, spoken) : fromHostAndPort(trimmed, use)
}

/** As `parseAddress`, of one that is to be joined; undefined where it is none that is spoken here. */
export const spokenAddress = (text: string, spoken: Spoken = TCP): Multiaddr | undefined => {
  try {
    return parseAddress(text, 'join', spoken)
  } catch {
    return undefined
  }
}

const MAX_LENGTH = 512
/** Parts of printable ASCII. */
const MULTIADDR = /^(?:\/[!-.0-~]+){2,32}$/
/** Whether a multiaddr is a host and a TCP port, as it is written: what claims to be that is that, or nothing. */
export const claimsTcpAlone = (text: string): boolean => /^\/[^/]+\/[^/]+\/tcp\/[^/]+(?:\/p2p\/[^/]+)?$/.test(text)
/** Of the host's family and its port, after which something else than a peer comes; or of no port at all. */
const isForeign = (text: string): boolean =>
  MULTIADDR.test(text) && !claimsTcpAlone(text) && (HOSTS.includes(text.split('/')[1]!) || isMultiaddr(text))

const isMultiaddr = (text: string): boolean => {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}

/**
 * As an address of a device is compared, kept and passed on: without the peer. Of one that only another build can dial, its
 * text: whoever hears of it here may be such a build. Empty where it is no address at all.
 */
export const keptAddress = (text: string): readonly string[] => {
  if (text.length > MAX_LENGTH) return []
  const own = spokenAddress(text)
  if (own !== undefined) return [`${withoutPeer(own)}`]
  return isForeign(text) ? [text.replace(/\/p2p\/[^/]+$/, '')] : []
}

/** Whether somebody can dial it, this build or another. */
export const isAddress = (text: unknown): text is string => typeof text === 'string' && keptAddress(text).length > 0

/** All of them as one. */
export const allSpoken = (transports: readonly Spoken[]): Spoken => ({
  name: transports.map(({ name }) => name).join(' and '),
  speaks: address => transports.some(transport => transport.speaks(address))
})

/**
 * Of addresses that are to be joined, those that can be dialled here: an invite names others for other builds.
 * @throws UserError when one is no address, or none can be dialled
 */
export const dialable = (texts: readonly string[], spoken: Spoken = TCP): readonly Multiaddr[] => {
  const isForOthers = (text: string): boolean => spokenAddress(text, spoken) === undefined && isAddress(text)
  const own = texts.filter(text => !isForOthers(text))
  return (own.length > 0 ? own : texts).map(text => parseAddress(text, 'join', spoken))
}
