import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { KeptRoll } from '../network/members/kept-roll.ts'
import { KEY_BYTES } from '../network/members/signed.ts'
import { parseSigned, signedText } from '../network/members/signed-text.ts'
import { onStateDisk } from './on-state-disk.ts'
import type { StateFolder } from './state-folder.ts'
import { writePrivate } from './write-private.ts'

/** Some thousand certificates and removals have half of it. */
const MAX_BYTES = 4 << 20
const MOST = 4096

const signed = z.string().max(8192).transform(parseSigned)
const many = z.array(signed).max(MOST)
const fileSchema = z.object({
  cluster: z
    .string()
    .transform(text => new Uint8Array(Buffer.from(text, 'base64url')))
    .refine(key => key.length === KEY_BYTES),
  certificate: signed.optional(),
  certificates: many,
  removals: many,
  uses: many,
  rotations: many
})

/** Members of the cluster and who was removed, as a device knows them; the key is elsewhere. */
export type KeptMembers = Omit<KeptRoll, 'key'>

const fileOf = (folder: StateFolder): string => join(folder.path, 'members.json')

/** @throws UserError when there is one that cannot be read: without it a device that was removed would be let in */
export const readMembers = async (folder: StateFolder): Promise<KeptMembers | undefined> => {
  const file = fileOf(folder)
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new UserError(`${file}: ${describeFileError(error)}`)
  })
  if (bytes === undefined) return undefined
  try {
    if (bytes.length > MAX_BYTES) throw new Error('too large')
    const { certificate, ...kept } = fileSchema.parse(JSON.parse(bytes.toString('utf8')))
    return { ...kept, certificate }
  } catch {
    throw new UserError(
      `${file} is damaged, and with it who was removed from the cluster; bring it back, or remove it and give this device an invite`
    )
  }
}

/** @throws UserError when it cannot be written */
export const writeMembers = (folder: StateFolder, kept: KeptMembers): Promise<void> => {
  const { cluster, certificate, certificates, removals, uses, rotations } = kept
  const json = {
    cluster: Buffer.from(cluster).toString('base64url'),
    ...(certificate === undefined ? {} : { certificate: signedText(certificate) }),
    certificates: certificates.map(signedText),
    removals: removals.map(signedText),
    uses: uses.map(signedText),
    rotations: rotations.map(signedText)
  }
  return onStateDisk(folder.path, () => writePrivate(fileOf(folder), JSON.stringify(json)))
}
