import { replaceClusterKey } from '../runtime/network/cluster-key.ts'
import type { KeptRoll } from '../runtime/network/members/kept-roll.ts'
import { writeMembers } from '../runtime/state/members-file.ts'
import type { StateFolder } from '../runtime/state/state-folder.ts'

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
  const keepKey = async (kept: KeptRoll): Promise<void> => {
    const { key } = kept
    if (key === undefined || written === textOf(key)) return
    try {
      await replaceClusterKey(keyFile, key)
    } catch (error) {
      if (keyFile === folder.keyFile) throw error
      say(`${(error as Error).message}; the cluster's new key is in ${folder.keyFile}`, 'warn')
      await replaceClusterKey(folder.keyFile, key)
    }
    written = textOf(key)
  }
  return async kept => {
    try {
      await keepKey(kept)
      await writeMembers(folder, kept)
    } catch (error) {
      say(`${(error as Error).message}; who is a member is not kept`, 'warn')
      throw error
    }
  }
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('base64')
