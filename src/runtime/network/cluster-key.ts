import { readFile } from 'node:fs/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import { nodeRandom } from '../node-random.ts'
import type { Random } from '../ports/random.ts'
import { writeSecret } from './write-secret.ts'

/** Whoever has it is a member. 32 random bytes. */
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

/**
 * Keep a key where only its owner may read it.
 * @throws UserError when the file exists with another key or cannot be written
 */
export const writeClusterKey = async (file: string, key: ClusterKey): Promise<void> => {
  let written: boolean
  try {
    written = await writeSecret(file, `${PREFIX}${Buffer.from(key).toString('base64url')}\n`)
  } catch (error) {
    throw new UserError(`cannot write the cluster key ${file}: ${describeFileError(error)}`)
  }
  if (!written && Buffer.compare(await readClusterKey(file), key) !== 0) {
    throw new UserError(`${file} holds the key of another cluster; name another file or remove it`)
  }
}
