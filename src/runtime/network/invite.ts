import { z } from 'zod'
import { UserError } from '../../core/user-error.ts'
import { CLUSTER_KEY_BYTES, type ClusterKey } from './cluster-key.ts'
import { claimsTcpAlone, isAddress, keptAddress } from './parse-address.ts'
import { redact } from './redact.ts'

/** What a new device needs: the key that admits it, and where members can be dialled. Whoever reads it can join. */
export interface Invite {
  readonly key: ClusterKey
  readonly addresses: readonly string[]
}

const PREFIX = 'tributary1:'

const address = z.string().max(512).refine(isAddress, 'is not an address')

const Payload = z.strictObject({
  k: z
    .string()
    .transform(text => new Uint8Array(Buffer.from(text, 'base64url')))
    .refine(key => key.length === CLUSTER_KEY_BYTES, `is not a key of ${CLUSTER_KEY_BYTES} bytes`),
  a: z.array(address).max(64)
})

/** One word that can be pasted into a terminal: `tributary1:` and base64url. */
export const encodeInvite = ({ key, addresses }: Invite): string => {
  const payload = { k: Buffer.from(key).toString('base64url'), a: addresses }
  return `${PREFIX}${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
}

/** Whether the text claims to be an invite, rather than an address. */
export const isInvite = (text: string): boolean => text.trim().startsWith(PREFIX)

/** @throws UserError `badInvite` when the text is not an invite, was cut off, or was changed on its way */
export const decodeInvite = (text: string): Invite => {
  const body = text.trim()
  if (!body.startsWith(PREFIX)) throw badInvite(`an invite begins with "${PREFIX}", this does not: "${clip(body)}"`)
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(body.slice(PREFIX.length), 'base64url').toString('utf8'))
  } catch {
    throw badInvite(`the invite "${clip(body)}" is damaged or cut off; copy it whole from \`tributary invite\``)
  }
  const parsed = Payload.safeParse(json)
  if (parsed.success) return { key: parsed.data.k, addresses: parsed.data.a }
  const names: Readonly<Record<string, string>> = { k: 'key', a: 'addresses' }
  const issue = parsed.error.issues[0]
  const field = names[String(issue?.path[0])] ?? 'content'
  throw badInvite(
    `the invite's ${field} is wrong (${issue?.message ?? 'unreadable'}); copy it from \`tributary invite\``
  )
}

const badInvite = (words: string): UserError => new UserError(words, { code: 'badInvite' })

/** Never the whole text: the rest is the secret. */
const clip = (text: string): string => redact(text.length > 14 ? `${text.slice(0, 14)}...` : text)

/** Of one device, and in all: an invite is pasted by hand. */
const MAX_OWN = 8
const MAX_ADDRESSES = 16

/**
 * The addresses for an invite: of the device, then of others of its cluster, so that it is good even when the device is
 * off. In short form; those that only the same machine can dial are left out where there are others.
 */
export const inviteAddresses = (
  own: readonly string[],
  others: readonly (readonly string[])[] = []
): readonly string[] => {
  const of = (addresses: readonly string[], most: number): readonly string[] => {
    const short = [...new Set(addresses.flatMap(shortAddress))]
    const far = short.filter(text => !isLoopback(text))
    return (far.length > 0 ? far : short).slice(0, most)
  }
  const mine = of(own, MAX_OWN)
  const theirs = others.map(addresses => of(addresses, MAX_OWN))
  const inTurn = Array.from({ length: MAX_OWN }, (_, i) =>
    theirs.flatMap(addresses => addresses.slice(i, i + 1))
  ).flat()
  return [...new Set([...mine, ...inTurn])].slice(0, MAX_ADDRESSES)
}

const isLoopback = (text: string): boolean => text.startsWith('127.') || text.startsWith('[::1]')

/** "192.168.1.5:6174" of a multiaddr; none for addresses that mean something else on every machine. */
const shortAddress = (text: string): readonly string[] => {
  // Whatever comes after a host and a port can only be said as a multiaddr.
  if (text.startsWith('/') && !claimsTcpAlone(text)) return keptAddress(text)
  const [, family, host = '', , port = ''] = text.split('/')
  if (family === 'ip4') return [`${host}:${port}`]
  if (family === 'ip6') return /^fe80:/i.test(host) ? [] : [`[${host}]:${port}`]
  return family?.startsWith('dns') ? [`${host}:${port}`] : text.startsWith('/') ? [] : [text]
}
