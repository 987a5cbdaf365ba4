import { readFile } from 'node:fs/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { nodeRandom } from '../node-random.ts'
import type { Random } from '../ports/random.ts'
import { writePrivate } from '../state/write-private.ts'
import { writeSecret } from './write-secret.ts'

/** Whoever has it is a member, and may admit others: the seed of the Ed25519 key that signs certificates. 32 random bytes. */
export type ClusterKey = Uint8Array

export const CLUSTER_KEY_BYTES = 32

const PREFIX = 'tributary-key1:'

export const createClusterKey = (random: Random = nodeRandom): ClusterKey => random.bytes(CLUSTER_KEY_BYTES)

/** @throws UserError when the file cannot be read or holds no key */
export const readClusterKey = async (file: string): Promise<ClusterKey> => {
  let text: string
  try {
    text = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new UserError(`cannot read the cluster key ${file}: ${describeFileError(error)}`)
  }
  const bytes = text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64url') : Buffer.alloc(0)
  if (bytes.length !== CLUSTER_KEY_BYTES) {
    throw new UserError(`${file} is not a cluster key ("${PREFIX}" and ${CLUSTER_KEY_BYTES} bytes in base64url)`)
  }
  return new Uint8Array(bytes)
}

const textOf = (key: ClusterKey): string => `${PREFIX}${Buffer.from(key).toString('base64url')}\n`

/**
 * Keep a key where only its owner may read it.
 * @throws UserError when the file exists with another key or cannot be written
 */
export const writeClusterKey = async (file: string, key: ClusterKey): Promise<void> => {
  let written: boolean
  try {
    written = await writeSecret(file, textOf(key))
  } catch (error) {
    throw new UserError(`cannot write the cluster key ${file}: ${describeFileError(error)}`)
  }
  if (!written && Buffer.compare(await readClusterKey(file), key) !== 0) {
    throw new UserError(`${file} holds the key of another cluster; name another file or remove it`)
  }
}

/** The same, in the place of the key that the cluster had before. @throws UserError when it cannot be written */
export const replaceClusterKey = async (file: string, key: ClusterKey): Promise<void> => {
  const known = await readClusterKey(file).catch(() => undefined)
  if (known !== undefined && Buffer.compare(known, key) === 0) return
  try {
    await writePrivate(file, textOf(key))
  } catch (error) {
    throw new UserError(`cannot write the cluster key ${file}: ${describeFileError(error)}`)
  }
}
