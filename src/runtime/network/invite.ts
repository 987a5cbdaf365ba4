import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { z } from 'zod'
import { UserError } from '../../core/user-error.ts'
import { type Signed, TicketInviteSchema, TicketSchema } from '../generated/tributary/v1/wire_pb.ts'
import { CLUSTER_KEY_BYTES, type ClusterKey } from './cluster-key.ts'
import { isSame, readBody } from './members/read-signed.ts'
import { KEY_BYTES, publicKeyOf } from './members/signed.ts'
import { readTicket, type Ticket } from './members/ticket.ts'
import { claimsTcpAlone, isAddress, keptAddress } from './parse-address.ts'
import { redact } from './redact.ts'

/** What a new device needs: what admits it, and where members can be dialled. Whoever reads it can join. */
export type Invite = OpenInvite | TicketInvite

/** The cluster's key itself: who has it admits others too, until the key is changed. */
export interface OpenInvite {
  readonly key: ClusterKey
  readonly addresses: readonly string[]
}

/** Good on the terms that are signed. */
export interface TicketInvite {
  readonly ticket: Ticket
  readonly addresses: readonly string[]
}

const OPEN = 'tributary1:'
const TICKET = 'tributary2:'
const PREFIXES = [OPEN, TICKET]

const MAX_GIVEN = 64

const address = z.string().max(512).refine(isAddress, 'is not an address')
const addresses = z.array(address).max(MAX_GIVEN)

const OpenPayload = z.strictObject({
  k: z
    .string()
    .transform(text => new Uint8Array(Buffer.from(text, 'base64url')))
    .refine(key => key.length === CLUSTER_KEY_BYTES, `is not a key of ${CLUSTER_KEY_BYTES} bytes`),
  a: addresses
})

/** One word that can be pasted into a terminal: what kind of invite, and base64url. */
export const encodeInvite = (invite: Invite): string => {
  if ('key' in invite) {
    const payload = { k: Buffer.from(invite.key).toString('base64url'), a: invite.addresses }
    return `${OPEN}${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
  }
  const { signed, secret } = invite.ticket
  const payload = create(TicketInviteSchema, { ticket: signed, secret, addresses: [...invite.addresses] })
  return `${TICKET}${Buffer.from(toBinary(TicketInviteSchema, payload)).toString('base64url')}`
}

/** Whether the text claims to be an invite, rather than an address. */
export const isInvite = (text: string): boolean => PREFIXES.some(prefix => text.trim().startsWith(prefix))

/** The public key of the cluster that it is for. */
export const clusterOfInvite = (invite: Invite): Uint8Array =>
  'key' in invite ? publicKeyOf(invite.key) : invite.ticket.cluster

/** @throws UserError `badInvite` when the text is not an invite, was cut off, or was changed on its way */
export const decodeInvite = (text: string): Invite => {
  const body = text.trim()
  const prefix = PREFIXES.find(known => body.startsWith(known))
  if (prefix === undefined)
    throw badInvite(`an invite begins with "${OPEN}" or "${TICKET}", this does not: "${clip(body)}"`)
  const bytes = Buffer.from(body.slice(prefix.length), 'base64url')
  return prefix === OPEN ? decodeOpen(bytes, body) : decodeTicket(new Uint8Array(bytes), body)
}

const decodeOpen = (bytes: Buffer, text: string): OpenInvite => {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw damaged(text)
  }
  const parsed = OpenPayload.safeParse(json)
  if (parsed.success) return { key: parsed.data.k, addresses: parsed.data.a }
  const names: Readonly<Record<string, string>> = { k: 'key', a: 'addresses' }
  const issue = parsed.error.issues[0]
  throw wrong(names[String(issue?.path[0])] ?? 'content', issue?.message)
}

const decodeTicket = (bytes: Uint8Array, text: string): TicketInvite => {
  try {
    const { ticket: signed, secret, addresses: given } = fromBinary(TicketInviteSchema, bytes)
    const cluster = signed && clusterSaid(signed)
    if (signed === undefined || cluster === undefined) throw damaged(text)
    const facts = readTicket(signed, cluster)
    const isGood = facts !== undefined && secret.length === KEY_BYTES && isSame(publicKeyOf(secret), facts.id)
    if (!isGood) throw damaged(text)
    const parsed = addresses.safeParse(given)
    if (!parsed.success) throw wrong('addresses', parsed.error.issues[0]?.message)
    return { ticket: { cluster, signed, secret }, addresses: parsed.data }
  } catch (error) {
    throw error instanceof UserError ? error : damaged(text)
  }
}

/** Of a ticket that says so itself. */
const clusterSaid = (signed: Signed): Uint8Array | undefined => readBody(signed, TicketSchema)?.cluster

const badInvite = (words: string): UserError => new UserError(words, { code: 'badInvite' })

const damaged = (text: string): UserError =>
  badInvite(`the invite "${clip(text)}" is damaged or cut off; copy it whole from \`tributary invite\``)

const wrong = (field: string, because = 'unreadable'): UserError =>
  badInvite(`the invite's ${field} is wrong (${because}); copy it from \`tributary invite\``)

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
