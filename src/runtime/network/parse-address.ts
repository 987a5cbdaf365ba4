import { isIP } from 'node:net'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { UserError } from '../../core/user-error.ts'
import { isPeerId } from './peer-id.ts'
import { redact } from './redact.ts'

/** Where the address is used decides what it may be: one listens on a port of this machine, and joins a known port. */
export type AddressUse = 'listen' | 'join'

const SHAPES = 'host:port, [ip6]:port or a multiaddr like /ip4/192.168.1.5/tcp/4001'

const refuse = (text: string, use: AddressUse, because: string): UserError =>
  new UserError(redact(`cannot ${use} "${text}": ${because}; write ${SHAPES}`))

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

const fromMultiaddr = (text: string, use: AddressUse): Multiaddr => {
  let address: Multiaddr
  try {
    address = multiaddr(text)
  } catch (error) {
    throw refuse(text, use, error instanceof Error ? error.message : String(error))
  }
  const components = address.getComponents()
  const [host, transport, ...rest] = components.map(part => part.name)
  const hosts = use === 'listen' ? ['ip4', 'ip6'] : ['ip4', 'ip6', 'dns', 'dns4', 'dns6']
  if (!hosts.includes(host ?? '')) throw refuse(text, use, `it must begin with one of /${hosts.join(', /')}`)
  if (transport !== 'tcp') throw refuse(text, use, 'only /tcp is spoken here')
  if (rest.length > 1 || (rest[0] ?? 'p2p') !== 'p2p') throw refuse(text, use, `/${rest.join('/')} is not known here`)
  parsePort(text, components[1]?.value ?? '', use)
  const peer = components[2]?.value
  if (peer !== undefined && !isPeerId(peer)) throw refuse(text, use, `"${peer}" is not a peer id`)
  return use === 'listen' ? address.decapsulateCode(421) : address
}

/**
 * "127.0.0.1:0", "[::1]:4001", ":4001" (to listen everywhere), "porch.local:4001" (to join) or a TCP multiaddr,
 * with or without /p2p/ID.
 * @throws UserError when it is none of these
 */
export const parseAddress = (text: string, use: AddressUse): Multiaddr => {
  const trimmed = text.trim()
  return trimmed.startsWith('/') ? fromMultiaddr(trimmed, use) : fromHostAndPort(trimmed, use)
}

const MAX_LENGTH = 512

/** Whether it can be joined, and is not longer than any address has reason to be. */
export const isAddress = (text: unknown): text is string => {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return false
  try {
    parseAddress(text, 'join')
    return true
  } catch {
    return false
  }
}
