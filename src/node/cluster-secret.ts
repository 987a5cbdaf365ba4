import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../core/user-error.ts'
import { type ClusterKey, createClusterKey, readClusterKey, writeClusterKey } from '../runtime/network/cluster-key.ts'
import { decodeInvite, isInvite } from '../runtime/network/invite.ts'
import { PRIVATE_FILE, tighten } from '../runtime/state/privacy.ts'
import type { StateFolder } from '../runtime/state/state-folder.ts'

export interface ClusterSecret {
  readonly key: ClusterKey
  /** Where it is kept. */
  readonly keyFile: string
  /** Addresses to dial, as given and from invites; of each group one is enough. */
  readonly ways: readonly (readonly string[])[]
  /** This device made the key just now. */
  readonly isNew: boolean
}

export interface SecretOptions {
  /** Invites and addresses. */
  readonly join: readonly string[]
  readonly clusterKey: string | undefined
  readonly folder: StateFolder
  /** The device knows others of an earlier run: a new key would not be theirs. */
  readonly isMember: boolean
  readonly say: (text: string, level?: 'warn') => void
}

/**
 * The cluster's key: from an invite, from the file given, from the state folder of an earlier run, or made here when
 * nothing is joined. Kept in the state folder (or the given file), so that a restart needs no invite.
 * @throws UserError `keyMissing` when an address is joined and no key is to be had, `keyLost` when that of an earlier run is gone,
 *   `invitesDiffer` or `otherCluster` when an invite is for another cluster
 */
export const resolveSecret = async (options: SecretOptions): Promise<ClusterSecret> => {
  const { join, clusterKey, folder, isMember, say } = options
  const found = await findSecret(join, clusterKey, folder, say)
  const keyFile = resolve(clusterKey ?? folder.keyFile)
  if (found.key !== undefined) {
    if (found.isInvited) await remember(keyFile, found.key)
    return { key: found.key, keyFile, ways: found.ways, isNew: false }
  }
  if (isMember)
    throw new UserError(
      `${keyFile} is gone, and with it the key of the cluster that this device belongs to: give it an invite of that cluster, or begin anew with another state folder`,
      { code: 'keyLost', facts: { file: keyFile } }
    )
  const key = createClusterKey()
  await writeClusterKey(keyFile, key)
  return { key, keyFile, ways: [], isNew: true }
}

export interface FoundSecret {
  /** Undefined where nothing is joined and no key is kept. */
  readonly key: ClusterKey | undefined
  readonly isInvited: boolean
  readonly ways: ClusterSecret['ways']
}

/** The key as far as there is one; nothing is written. @throws UserError when an address is joined without one */
export const findSecret = async (
  join: readonly string[],
  clusterKey: string | undefined,
  folder: StateFolder,
  say: (text: string, level?: 'warn') => void
): Promise<FoundSecret> => {
  const invites = join.filter(isInvite).map(decodeInvite)
  const addresses = join.filter(text => !isInvite(text))
  const ways = [...addresses.map(address => [address]), ...invites.map(invite => invite.addresses)]
  const [first] = invites
  const stranger = invites.find(({ key }) => !isSame(key, first!.key))
  if (stranger !== undefined)
    throw new UserError('the invites are for different clusters; keep those of one', { code: 'invitesDiffer' })
  if (first !== undefined) return { key: first.key, isInvited: true, ways }
  const file = clusterKey ?? folder.keyFile
  if (await exists(file)) {
    await sayOpen(file, say)
    return { key: await readClusterKey(file), isInvited: false, ways }
  }
  if (addresses.length > 0)
    throw new UserError(`${addresses[0]} needs the cluster's key: use an invite, which has it`, {
      code: 'keyMissing',
      facts: { address: addresses[0]! }
    })
  return { key: undefined, isInvited: false, ways }
}

/** A file of the user's: closed where that can be done, for in a container it may not even be ours. */
export const sayOpen = async (file: string, say: (text: string, level?: 'warn') => void): Promise<void> => {
  const found = await tighten(file, PRIVATE_FILE)
  if (found.kind === 'tightened')
    say(`${file} could be read by other users of this machine (mode ${found.was}) and is closed to them now`, 'warn')
  if (found.kind === 'open' && found.toAll)
    say(
      `${file} can be read by every user of this machine (mode ${found.was}); as its owner: chmod 600 ${file}`,
      'warn'
    )
}

const remember = async (keyFile: string, key: ClusterKey): Promise<void> => {
  if (!(await exists(keyFile))) {
    await writeClusterKey(keyFile, key)
    return
  }
  if (!isSame(await readClusterKey(keyFile), key)) {
    throw new UserError(
      `the invite is for another cluster than ${keyFile}; use another state folder, or remove that file`,
      {
        code: 'otherCluster',
        facts: { file: keyFile }
      }
    )
  }
}

const isSame = (a: ClusterKey, b: ClusterKey): boolean => Buffer.from(a).equals(Buffer.from(b))

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false
  )
