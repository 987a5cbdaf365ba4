import { z } from 'zod'
import { UserError } from '../../core/user-error.ts'
import { CLUSTER_KEY_BYTES, type ClusterKey } from './cluster-key.ts'
import { parseAddress } from './parse-address.ts'

/** What a new device needs: the key that admits it, and where members can be dialled. Whoever reads it can join. */
export interface Invite {
  readonly key: ClusterKey
  readonly addresses: readonly string[]
}

const PREFIX = 'tributary1:'

const address = z
  .string()
  .max(512)
  .refine(text => {
    try {
      parseAddress(text, 'join')
      return true
    } catch {
      return false
    }
  }, 'is not an address')

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

/** @throws UserError when the text is not an invite, was cut off, or was changed on its way */
export const decodeInvite = (text: string): Invite => {
  const body = text.trim()
  if (!body.startsWith(PREFIX)) throw new UserError(`an invite begins with "${PREFIX}", this does not: "${clip(body)}"`)
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(body.slice(PREFIX.length), 'base64url').toString('utf8'))
  } catch {
    throw new UserError(`the invite "${clip(body)}" is damaged or cut off; copy it whole from \`tributary invite\``)
  }
  const parsed = Payload.safeParse(json)
  if (parsed.success) return { key: parsed.data.k, addresses: parsed.data.a }
  const names: Readonly<Record<string, string>> = { k: 'key', a: 'addresses' }
  const issue = parsed.error.issues[0]
  const field = names[String(issue?.path[0])] ?? 'content'
  throw new UserError(
    `the invite's ${field} is wrong (${issue?.message ?? 'unreadable'}); copy it from \`tributary invite\``
  )
}

/** Never the whole text: the rest is the secret. */
const clip = (text: string): string => (text.length > 24 ? `${text.slice(0, 24)}...` : text)
