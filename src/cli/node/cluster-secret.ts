import { access } from 'node:fs/promises'
import { UserError } from '../../core/user-error.ts'
import type { StateFolder } from '../../runtime/device/state-folder.ts'
import {
  type ClusterKey,
  createClusterKey,
  readClusterKey,
  writeClusterKey
} from '../../runtime/network/cluster-key.ts'
import { decodeInvite, isInvite } from '../../runtime/network/invite.ts'

export interface ClusterSecret {
  readonly key: ClusterKey
  /** Addresses to dial, from invites and as given. */
  readonly addresses: readonly string[]
  /** This device made the key just now. */
  readonly isNew: boolean
}

export interface SecretOptions {
  readonly join: readonly string[]
  readonly clusterKey: string | undefined
  readonly folder: StateFolder
}

/**
 * The cluster's key: from an invite, from --cluster-key, from the state folder of an earlier run, or made here when
 * nothing is joined. Kept in the state folder (or the given file), so that a restart needs no invite.
 * @throws UserError when an address is joined and no key is to be had, or an invite is for another cluster than the key
 */
export const resolveSecret = async ({ join, clusterKey, folder }: SecretOptions): Promise<ClusterSecret> => {
  const invites = join.filter(isInvite).map(decodeInvite)
  const addresses = [...join.filter(text => !isInvite(text)), ...invites.flatMap(invite => invite.addresses)]
  const file = clusterKey ?? folder.keyFile
  const invited = invites[0]?.key
  if (invited !== undefined) {
    if (clusterKey === undefined) await remember(folder, invited)
    return { key: invited, addresses, isNew: false }
  }
  if (await exists(file)) return { key: await readClusterKey(file), addresses, isNew: false }
  if (addresses.length > 0) {
    throw new UserError(
      `--join ${addresses[0]} needs the cluster's key: use the invite (tributary invite prints it on any device), or --cluster-key FILE`
    )
  }
  const key = createClusterKey()
  await writeClusterKey(file, key)
  return { key, addresses, isNew: true }
}

const remember = async ({ keyFile }: StateFolder, key: ClusterKey): Promise<void> => {
  if (!(await exists(keyFile))) {
    await writeClusterKey(keyFile, key)
    return
  }
  const known = await readClusterKey(keyFile)
  if (!Buffer.from(known).equals(Buffer.from(key))) {
    throw new UserError(`the invite is for another cluster than ${keyFile}; use another --state, or remove that file`)
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false
  )
