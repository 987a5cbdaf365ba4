import { z } from 'zod'

const memberSchema = z.object({
  name: z.string(),
  id: z.string(),
  /** Seconds since 1970, on the clock of who admitted it. */
  since: z.number(),
  /** It holds the cluster's key. */
  mayAdmit: z.boolean(),
  connected: z.boolean()
})
const removedSchema = z.object({ name: z.string(), id: z.string(), at: z.number() })

/** What `tributary member list --json` prints. */
export const memberListSchema = z.object({
  answeredBy: z.string(),
  members: z.array(memberSchema),
  removed: z.array(removedSchema)
})
export type MemberList = z.infer<typeof memberListSchema>

/** What `tributary member remove --json` prints. */
export const memberRemovedSchema = z.object({
  removed: z.object({ name: z.string(), id: z.string() }),
  /** It held the cluster's key: it can make itself another identity until that is changed. */
  heldKey: z.boolean()
})
export type MemberRemoved = z.infer<typeof memberRemovedSchema>

/** What `tributary key rotate --json` prints. */
export const keyRotatedSchema = z.object({
  /** The first digits of the cluster's new public key. */
  cluster: z.string(),
  stay: z.array(z.string()),
  /** Of those that stay: they get their certificates when they come back. */
  away: z.array(z.string())
})
export type KeyRotated = z.infer<typeof keyRotatedSchema>
