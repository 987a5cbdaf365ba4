import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError } from '../core/user-error.ts'
import { type ClusterKey, createClusterKey, readClusterKey, writeClusterKey } from '../runtime/network/cluster-key.ts'
import { peerIdOf, readIdentity } from '../runtime/network/identity.ts'
import { clusterOfInvite, decodeInvite, type Invite, isInvite } from '../runtime/network/invite.ts'
import type { Footing } from '../runtime/network/members/cluster-roll.ts'
import type { KeptRoll } from '../runtime/network/members/kept-roll.ts'
import { readCertificate } from '../runtime/network/members/member-certificate.ts'
import { isSame } from '../runtime/network/members/read-signed.ts'
import { latestKey } from '../runtime/network/members/rotation.ts'
import { publicKeyOf } from '../runtime/network/members/signed.ts'
import { type KeptMembers, readMembers } from '../runtime/state/members-file.ts'
import { PRIVATE_FILE, tighten } from '../runtime/state/privacy.ts'
import { nextKeyFile, type StateFolder } from '../runtime/state/state-folder.ts'

export interface ClusterSecret {
  /** How this device belongs to the cluster. */
  readonly footing: Footing
  /** What it knows of the members from earlier runs. */
  readonly kept: KeptRoll | undefined
  /** Where the cluster's key is kept, if this device holds it. */
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
 * How this device belongs to its cluster: by an invite, by the key in the file given, by what the state folder has of an earlier
 * run, or as the one that begins it, where nothing is joined. A key is kept in the state folder (or the given file), so that a
 * restart needs no invite.
 * @throws UserError `keyMissing` when an address is joined and there is neither, `keyLost` when those of an earlier run are gone
 *   or another identity's, `invitesDiffer` or `otherCluster` when an invite is for another cluster
 */
export const resolveSecret = async (options: SecretOptions): Promise<ClusterSecret> => {
  const { join, clusterKey, folder, isMember, say } = options
  const found = await findSecret(join, clusterKey, folder, say)
  const { footing, ways } = found
  const keyFile = resolve(found.keyFile)
  if (footing !== undefined) {
    if (footing.kind === 'holder' && found.isInvited) await writeClusterKey(keyFile, footing.key)
    return { footing, kept: keptWith(found.kept, footing), keyFile, ways, isNew: false }
  }
  if (found.kept?.certificate !== undefined)
    throw new UserError(
      `members.json in ${folder.path} is of another identity than the one there, so this device is no member: give it an invite of that cluster, or begin anew with another state folder`,
      { code: 'keyLost', facts: { file: keyFile } }
    )
  if (isMember)
    throw new UserError(
      `${keyFile} is gone, or members.json in ${folder.path}, by which this device belonged to its cluster: give it an invite of that cluster, or begin anew with another state folder`,
      { code: 'keyLost', facts: { file: keyFile } }
    )
  const key = createClusterKey()
  await writeClusterKey(keyFile, key)
  return { footing: { kind: 'holder', key }, kept: undefined, keyFile, ways: [], isNew: true }
}

const keptWith = (kept: KeptMembers | undefined, footing: Footing): KeptRoll | undefined =>
  kept === undefined ? undefined : { ...kept, key: footing.kind === 'holder' ? footing.key : undefined }

export interface FoundSecret {
  /** Undefined where nothing is joined, and neither a key nor a certificate of this identity is kept. */
  readonly footing: Footing | undefined
  readonly kept: KeptMembers | undefined
  readonly keyFile: string
  readonly isInvited: boolean
  readonly ways: ClusterSecret['ways']
}

/** The footing as far as there is one; nothing is written. @throws UserError when an address is joined without one */
export const findSecret = async (
  join: readonly string[],
  clusterKey: string | undefined,
  folder: StateFolder,
  say: (text: string, level?: 'warn') => void
): Promise<FoundSecret> => {
  const invites = join.filter(isInvite).map(decodeInvite)
  const addresses = join.filter(text => !isInvite(text))
  const ways = [...addresses.map(address => [address]), ...invites.map(invite => invite.addresses)]
  const own = await findOwn(clusterKey, folder, say)
  const [first] = invites
  if (first === undefined) {
    if (own.footing !== undefined || addresses.length === 0) return { ...own, isInvited: false, ways }
    throw new UserError(`${addresses[0]} needs the cluster's key: use an invite`, {
      code: 'keyMissing',
      facts: { address: addresses[0]! }
    })
  }
  if (invites.some(invite => !isSame(clusterOfInvite(invite), clusterOfInvite(first))))
    throw new UserError('the invites are for different clusters; keep those of one', { code: 'invitesDiffer' })
  return { ...own, footing: invitedFooting(first, own), isInvited: true, ways }
}

/** A device that is a member already stays what it is; of an invite with the cluster's key it becomes one that may admit. */
const invitedFooting = (invite: Invite, { footing, kept, keyFile }: OwnSecret): Footing => {
  const cluster = clusterOfInvite(invite)
  if (footing !== undefined) {
    const own = footing.kind === 'holder' ? publicKeyOf(footing.key) : kept!.cluster
    const isOlder = kept !== undefined && isSame(latestKey(cluster, kept.rotations), own)
    if (!isSame(own, cluster) && !isOlder)
      throw new UserError(
        `the invite is for another cluster than ${footing.kind === 'holder' ? keyFile : 'the state folder'}; use another state folder, or remove that file`,
        { code: 'otherCluster', facts: { file: keyFile } }
      )
    if (!('key' in invite) || footing.kind === 'holder' || !isSame(own, cluster)) return footing
  }
  return 'key' in invite ? { kind: 'holder', key: invite.key } : { kind: 'invited', ticket: invite.ticket }
}

type OwnSecret = Pick<FoundSecret, 'footing' | 'kept' | 'keyFile'>

/** What the key file and the state folder have. */
const findOwn = async (
  clusterKey: string | undefined,
  folder: StateFolder,
  say: (text: string, level?: 'warn') => void
): Promise<OwnSecret> => {
  const kept = await readMembers(folder)
  const files = clusterKey === undefined ? [folder.keyFile] : [clusterKey, folder.keyFile]
  const [file = folder.keyFile] = files
  const key = await keyIn(file, say)
  if (key !== undefined && !isFormer(key, kept)) return { footing: { kind: 'holder', key }, kept, keyFile: file }
  if (kept?.certificate === undefined) return { footing: undefined, kept, keyFile: file }
  const next = nextKeyFile(folder)
  const isKept = (latest: ClusterKey | undefined) => latest !== undefined && isSame(publicKeyOf(latest), kept.cluster)
  const held = await keyIn(next, say)
  // It was changed, and could not be put in the former one's place.
  if (isKept(held)) return { footing: { kind: 'holder', key: held! }, kept, keyFile: file }
  const latest = file === folder.keyFile ? undefined : await keyIn(folder.keyFile, say)
  if (key !== undefined && clusterKey !== undefined)
    say(`${file} holds the key that the cluster had before it was changed; put the new one there`, 'warn')
  if (isKept(latest)) return { footing: { kind: 'holder', key: latest! }, kept, keyFile: folder.keyFile }
  if (!(await isForThis(kept, folder))) return { footing: undefined, kept, keyFile: file }
  return { footing: { kind: 'member', cluster: kept.cluster, certificate: kept.certificate }, kept, keyFile: file }
}

/** The certificate of an identity that was removed, so that the device makes itself a new one, is good for nothing. */
const isForThis = async ({ certificate, cluster }: KeptMembers, { path }: StateFolder): Promise<boolean> => {
  const identity = await readIdentity(path)
  return identity !== undefined && readCertificate(certificate, cluster)?.peer === peerIdOf(identity)
}

/** The cluster had it before it was changed. */
const isFormer = (key: ClusterKey, kept: KeptMembers | undefined): boolean => {
  const cluster = publicKeyOf(key)
  return (
    kept !== undefined && !isSame(cluster, kept.cluster) && isSame(latestKey(cluster, kept.rotations), kept.cluster)
  )
}

const keyIn = async (file: string, say: (text: string, level?: 'warn') => void): Promise<ClusterKey | undefined> => {
  if (!(await exists(file))) return undefined
  const key = await readClusterKey(file)
  await sayOpen(file, say) // what is no key is left as it is
  return key
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

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false
  )
