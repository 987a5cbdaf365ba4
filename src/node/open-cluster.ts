import { describeFileError } from '../core/describe-file-error.ts'
import type { DeviceId } from '../core/ids.ts'
import type { JobGuard } from '../core/job-guard.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import type { LogLevel } from '../runtime/device/log-level.ts'
import type { BlobStore } from '../runtime/network/blob-store.ts'
import { type Identity, loadOrCreateIdentity, peerIdOf } from '../runtime/network/identity.ts'
import { identitySigner } from '../runtime/network/identity-signer.ts'
import { createLibp2pNetwork } from '../runtime/network/libp2p-network.ts'
import { ClusterRoll, type Footing } from '../runtime/network/members/cluster-roll.ts'
import { readCertificate } from '../runtime/network/members/member-certificate.ts'
import { readTicket } from '../runtime/network/members/ticket.ts'
import { tcpTransport } from '../runtime/network/tcp-transport.ts'
import { TwinWatch } from '../runtime/network/twin-watch.ts'
import type { LinkShaper } from '../runtime/ports/link-shaper.ts'
import type { Network, Role } from '../runtime/ports/network.ts'
import type { Signer } from '../runtime/ports/signer.ts'
import { type KnownPeer, PeersFile, readPeers } from '../runtime/state/peers-file.ts'
import { readDevice, removeRunning, type StateFolder, writeRunning } from '../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../runtime/system-clock.ts'
import { chooseListen, type ListenOptions } from './choose-listen.ts'
import { type ClusterSecret, findSecret, resolveSecret } from './cluster-secret.ts'
import { currentInvite, type InviteTerms } from './current-invite.ts'
import { describeTwins } from './describe-twins.ts'
import type { DeviceLog } from './device-log.ts'
import { type DeviceHere, footingHere } from './footing-here.ts'
import { keepMembers } from './keep-members.ts'
import type { PeerNames } from './peer-names.ts'

export interface ClusterOptions extends ListenOptions {
  /** What the others call this device. */
  readonly name: string
  /** Invites and addresses of devices; asked for once the state folder is this process's. */
  readonly join: () => Promise<readonly string[]>
  /** A guest listens nowhere: it goes to the others. @default device */
  readonly role?: Exclude<Role, 'observer'>
  /** The shared key's file; undefined: in the state folder. */
  readonly clusterKey?: string | undefined
  /** A guest comes from this device, without an invite or key of its own. */
  readonly from?: DeviceHere | undefined
  /** Whether devices are looked for on the local network. */
  readonly mdns: boolean
  /** Shapes what is sent to a peer; undefined where the real link alone counts. */
  readonly shaper?: ((peer: DeviceId, name: string | undefined) => LinkShaper | undefined) | undefined
  /**
   * Shows what only somebody who may let devices in is to see; never the log, which others read. @default nobody looks: the invite
   * is not shown
   */
  readonly show?: ((text: string) => void) | undefined
  /** The invite is shown at every start, not only of a new cluster, and told to programs. @default false */
  readonly printInvite?: boolean
}

export interface ClusterParts {
  readonly options: ClusterOptions
  readonly folder: StateFolder
  readonly log: DeviceLog
  readonly blobs: BlobStore
  /** What other devices call themselves; those of earlier runs are put there. */
  readonly names: PeerNames
  readonly guard: JobGuard
}

/** A device's way into its cluster. Disposed, the network has stopped, and what it knows of the others is on the disk. */
export interface Cluster extends AsyncDisposable {
  readonly network: Network
  /** What is wrong with it, in words, while that lasts: devices with one identity. */
  troubles(): readonly string[]
  /** Resolves where this device has never been in, and will not be let in however often it asks: with what to do. */
  readonly shut: Promise<UserError>
  /** Once the network has started: join the others, tell people and programs where this device is and how to join it. */
  announce(): Promise<void>
  /** Signs with this device's key. */
  readonly signer: Signer
  /** What another device joins with: treat it as a password. @throws UserError `mayNotAdmit` */
  invite(terms?: InviteTerms): string
}

/** @throws UserError when the port is in use, the key is missing, or an invite is none */
export const openCluster = async (parts: ClusterParts): Promise<Cluster> => {
  const { options, folder, log, blobs, names, guard } = parts
  const say = (text: string, level?: LogLevel): void => log.say(text, level)
  const join = await options.join()
  const known = await readPeers(folder, say)
  // What is wrong with the key is said before anything is written, and before what is wrong with the port.
  if (options.from === undefined) await findSecret(join, options.clusterKey, folder, say)
  const { role = 'device' } = options
  const listen = role === 'guest' ? [] : await chooseListen(options, await readDevice(folder))
  const isMember = known.length > 0
  const privateKey = await loadOrCreateIdentity(folder.path)
  const secret =
    options.from === undefined
      ? await resolveSecret({ join, clusterKey: options.clusterKey, folder, isMember, say })
      : await secretHere(options.from, join, privateKey, say)
  refuseOtherName(secret, options)
  const roll = new ClusterRoll({
    self: peerIdOf(privateKey),
    name: options.name,
    footing: secret.footing,
    kept: secret.kept,
    wallTime,
    ...(role === 'device' ? { save: keepMembers({ folder, keyFile: secret.keyFile, say }) } : {})
  })
  refuseRemoved(roll, folder)
  names.recall(known)
  const nameOf = (id: DeviceId): string => names.of(id)
  let acquaintances: ReadonlyMap<DeviceId, readonly string[]> = new Map()
  const peers = (): readonly KnownPeer[] =>
    [...acquaintances].map(([id, addresses]) => ({ id, name: names.of(id), addresses }))
  const file = new PeersFile({ folder, clock: systemClock, peers, say })
  const { shaper } = options
  const twins = new TwinWatch()
  const shut = Promise.withResolvers<UserError>()
  const network = createLibp2pNetwork({
    privateKey,
    listen,
    transports: [tcpTransport],
    cluster: roll,
    mdns: options.mdns,
    role,
    clock: systemClock,
    blobStore: blobs,
    guard,
    ...(shaper === undefined ? {} : { shaper: (peer: DeviceId) => shaper(peer, names.said(peer)) }),
    recalled: new Map(known.map(({ id, addresses }) => [id, addresses])),
    onAcquainted: now => {
      acquaintances = now
      file.changed()
    },
    onTwins: (found, self) => {
      const words = describeTwins(found, { self, state: folder.path, nameOf })
      twins.seen(found.peer, words, systemClock.now())
    },
    onShut: because => {
      // Who has been in goes on without the others, whatever is said at a door.
      if (secret.footing.kind === 'member' || known.length + acquaintances.size > 0) return
      shut.resolve(roll.removed === undefined ? notLetIn(because) : removedFrom(folder))
    },
    say
  })
  const over = new AbortController()
  let telling: Promise<void> = Promise.resolve()
  return {
    network,
    shut: shut.promise,
    signer: identitySigner(privateKey),
    troubles: () => [...twins.troubles(systemClock.now()), ...(roll.removed === undefined ? [] : [REMOVED])],
    invite: terms => currentInvite(roll, network, terms),
    announce: async () => {
      await announce(parts, network, secret, roll, known)
      telling = keepTelling(parts, network, secret, over.signal)
    },
    [Symbol.asyncDispose]: async () => {
      over.abort()
      await network.stop()
      await roll.saved()
      await telling
      await removeRunning(folder).catch(error =>
        say(`${folder.path}: ${describeFileError(error)}; it still says that this device runs`, 'warn')
      )
      await file[Symbol.asyncDispose]()
    }
  }
}

const REMOVED =
  'this device was removed from its cluster, and takes no more part in it; to come back it needs an invite and a new identity, that is, another state folder'

const refuseRemoved = ({ removed }: ClusterRoll, folder: StateFolder): void => {
  if (removed !== undefined) throw removedFrom(folder)
}

const removedFrom = ({ path }: StateFolder): UserError =>
  new UserError(
    `${path}: this device was removed from its cluster; to come back it needs an invite and another state folder`,
    { code: 'removed', facts: { folder: path } }
  )

const notLetIn = (because: string): UserError =>
  new UserError(`this device is not let in: ${because}`, { code: 'notLetIn' })

/** It would not be heard by another. */
const refuseOtherName = ({ footing }: ClusterSecret, { name, role = 'device' }: ClusterOptions): void => {
  const wanted = boundName(footing)
  if (role !== 'device' || wanted === undefined || wanted === name) return
  throw new UserError(`the invite of this device is for the name ${wanted}, and it is called ${name}`, {
    code: 'otherName',
    facts: { name: wanted }
  })
}

const boundName = (footing: Footing): string | undefined => {
  if (footing.kind === 'invited') return readTicket(footing.ticket.signed, footing.ticket.cluster)?.name || undefined
  if (footing.kind !== 'member') return undefined
  const facts = readCertificate(footing.certificate, footing.cluster)
  return facts?.isBound === true ? facts.name : undefined
}

/** @throws UserError `keyMissing` where the device here is no member either */
const secretHere = async (
  from: DeviceHere,
  join: readonly string[],
  identity: Identity,
  say: (text: string, level?: 'warn') => void
): Promise<ClusterSecret> => {
  const footing = await footingHere(from, identity, say)
  if (footing !== undefined)
    return { footing, kept: undefined, keyFile: from.keyFile, ways: join.map(address => [address]), isNew: false }
  throw new UserError(`${from.folder.path} is of no cluster yet`, {
    code: 'keyMissing',
    facts: { address: join[0] ?? '' }
  })
}

/** A board may be up before its network is, and get another address in the night. */
const ADDRESSES_AGE: Seconds = seconds(10)

/** Keeps what the disk says of this device true: `tributary invite` reads it. Ends when `signal` aborts. */
const keepTelling = async (
  { options: { name }, folder, log, guard }: ClusterParts,
  network: Network,
  { keyFile }: ClusterSecret,
  signal: AbortSignal
): Promise<void> => {
  let told = network.addresses().join()
  const work = async (): Promise<void> => {
    const addresses = network.addresses()
    if (addresses.join() === told || addresses.length === 0) return
    await writeRunning(folder, { pid: process.pid, name, id: network.self, addresses: [...addresses], keyFile })
    told = addresses.join()
    log.say(`now listening on ${addresses.join(', ')}`)
  }
  await guard.every("keeping this device's addresses", () => ADDRESSES_AGE, work, { clock: systemClock, signal })
}

const announce = async (
  { options, folder, log }: ClusterParts,
  network: Network,
  secret: ClusterSecret,
  roll: ClusterRoll,
  known: readonly KnownPeer[]
): Promise<void> => {
  const { name, printInvite = false, show } = options
  const addresses = network.addresses()
  const { keyFile } = secret
  await writeRunning(folder, { pid: process.pid, name, id: network.self, addresses: [...addresses], keyFile })
  for (const way of secret.ways) network.join(...way)
  if (addresses.length > 0) log.say(`listening on ${addresses.join(', ')}`)
  const invite = (printInvite || secret.isNew) && roll.mayAdmit ? currentInvite(roll, network) : undefined
  if (secret.isNew) log.say(`a new cluster; tributary invite --state ${folder.path} prints what others join it with`)
  else if (network.peers().size === 0) log.say(describeWaiting(secret, known, options, folder))
  // A log is read by others than the one who may let devices in.
  if (invite !== undefined) show?.(howToJoin(invite))
  log.event({
    event: 'listening',
    name,
    id: network.self,
    addresses,
    ...(printInvite && invite !== undefined ? { invite } : {})
  })
}

const howToJoin = (invite: string): string =>
  `others join it, for a day, with:\n\n  tributary node --join ${invite}\n\n(or --join - and paste it there: arguments are seen by all users of a machine)\n`

/** A member that comes first after all were off is not the beginning of anything. */
const describeWaiting = (
  { ways }: ClusterSecret,
  known: readonly KnownPeer[],
  { mdns }: ClusterOptions,
  { path }: StateFolder
): string => {
  const names = known.map(({ name, id }) => (name === '' ? `...${id.slice(-8)}` : name))
  const some = names.length > 6 ? `${names.slice(0, 6).join(', ')}, ...` : names.join(', ')
  const wanted = [
    ...(known.length === 0 ? [] : [`${known.length} device${known.length === 1 ? '' : 's'} that it knows (${some})`]),
    ...(ways.length === 0 ? [] : ['the addresses that it was given']),
    ...(mdns ? ['whoever is on the local network'] : [])
  ]
  if (known.length === 0 && ways.length === 0)
    return `no other device of this cluster is known here${mdns ? ' yet; looking on the local network' : ''}; tributary invite --state ${path} prints what others join it with`
  return `waiting for its cluster: trying ${wanted.join(', ')}`
}
