import { rm } from 'node:fs/promises'
import { type ClusterKey, readClusterKey, replaceClusterKey } from '../runtime/network/cluster-key.ts'
import type { KeptRoll } from '../runtime/network/members/kept-roll.ts'
import { isSame } from '../runtime/network/members/read-signed.ts'
import { writeMembers } from '../runtime/state/members-file.ts'
import { onStateDisk } from '../runtime/state/on-state-disk.ts'
import { nextKeyFile, type StateFolder } from '../runtime/state/state-folder.ts'

export interface KeepMembersParts {
  readonly folder: StateFolder
  readonly keyFile: string
  readonly say: (text: string, level?: 'warn') => void
}

/**
 * Keeps what a device knows of its cluster's members in its state folder, and a new key where the former one was: in the state
 * folder, where that file is not its own to write.
 */
export const keepMembers = ({ folder, keyFile, say }: KeepMembersParts): ((kept: KeptRoll) => Promise<void>) => {
  let written: string | undefined
  const nextFile = nextKeyFile(folder)
  /** Beside the former one, until who is a member by it is kept as well. @returns whether it is another */
  const holdKey = async ({ key }: KeptRoll): Promise<boolean> => {
    if (key === undefined || written === textOf(key)) return false
    const known = await readClusterKey(keyFile).catch(() => undefined)
    if (known !== undefined && isSame(known, key)) return false
    await onStateDisk(folder.path, () => replaceClusterKey(nextFile, key))
    return true
  }
  const putKey = async (key: ClusterKey): Promise<void> => {
    try {
      await putInPlace(keyFile, key)
    } catch (error) {
      if (keyFile === folder.keyFile)
        return say(`${(error as Error).message}; the new key stays in ${nextFile}`, 'warn')
      say(`${(error as Error).message}; the cluster's new key is in ${folder.keyFile}`, 'warn')
      try {
        await putInPlace(folder.keyFile, key)
      } catch {
        return say(`the cluster's new key stays in ${nextFile}`, 'warn')
      }
    }
    written = textOf(key)
    await rm(nextFile, { force: true }).catch(() => {})
  }
  return async kept => {
    try {
      const isNew = await holdKey(kept)
      await writeMembers(folder, kept)
      if (isNew) await putKey(kept.key!)
    } catch (error) {
      say(`${(error as Error).message}; who is a member is not kept`, 'warn')
      throw error
    }
  }
}

/** The former key stays beside it. */
const putInPlace = async (file: string, key: ClusterKey): Promise<void> => {
  const former = await readClusterKey(file).catch(() => undefined)
  if (former !== undefined) await replaceClusterKey(`${file}.former`, former)
  await replaceClusterKey(file, key)
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('base64')
