import { create } from '@bufbuild/protobuf'
import type { DeviceId } from '../../core/ids.ts'
import type { Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { findSecret } from '../../node/cluster-secret.ts'
import { footingHere } from '../../node/footing-here.ts'
import { type Reply, ReplySchema, type Request } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { BlobStore } from '../../runtime/network/blob-store.ts'
import { readClusterKey } from '../../runtime/network/cluster-key.ts'
import { createIdentity, type Identity, peerIdOf } from '../../runtime/network/identity.ts'
import { createLibp2pNetwork } from '../../runtime/network/libp2p-network.ts'
import { ClusterRoll, type Footing } from '../../runtime/network/members/cluster-roll.ts'
import { tcpTransport } from '../../runtime/network/tcp-transport.ts'
import type { NetworkHandlers } from '../../runtime/ports/network.ts'
import { readRunning, runningHere, type StateFolder, stateFolderOf } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import { within } from '../infer/within.ts'
import { JOIN_VARIABLE, readJoins } from './read-joins.ts'

export interface AskOptions {
  readonly name: string
  readonly state: string | undefined
  readonly join: readonly string[]
  readonly joinFiles: readonly string[]
  readonly clusterKey: string | undefined
  readonly timeout: Seconds
}

/** One who asks a device, again where it likes; disposed, it has left. */
export interface Asker extends AsyncDisposable {
  /** The first device that answers; where that has gone, the next that does. @throws UserError, NetworkError when none does in time */
  ask(request: Request): Promise<Reply>
}

/** Join as an observer. @throws UserError when there is no device to ask */
export const openAsker = async (options: AskOptions): Promise<Asker> => {
  const { timeout, clusterKey } = options
  // Nobody who asks makes a key: with one that is mistyped it would be asked by another.
  if (clusterKey !== undefined) await readClusterKey(clusterKey)
  const privateKey = await createIdentity()
  const { footing, ways } = await whomToAsk(options, privateKey)
  const network = createLibp2pNetwork({
    privateKey,
    listen: [],
    transports: [tcpTransport],
    cluster: new ClusterRoll({ self: peerIdOf(privateKey), name: '', footing, wallTime }),
    mdns: false,
    role: 'observer',
    clock: systemClock,
    blobStore: NO_BLOCKS
  })
  const dial = (): void => {
    for (const way of ways) network.join(...way)
  }
  const { handlers, device } = meeting(dial)
  const late = () => new UserError(`no device answered at ${ways.flat().join(', ')} within ${timeout} s`)
  const stop = (): Promise<void> => network.stop()
  try {
    await network.start(handlers)
    dial()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ask: async request => network.request(await within(timeout, device, late), request, { timeout }),
    [Symbol.asyncDispose]: stop
  }
}

/** An observer holds none, and writes nothing. */
const NO_BLOCKS: BlobStore = {
  find: async () => undefined,
  partPath: () => '',
  commit: () => Promise.reject(new Error('an observer keeps no blocks')),
  put: () => Promise.reject(new Error('an observer keeps no blocks')),
  remove: async () => {},
  requireRoom: async () => {}
}

interface Asked {
  readonly footing: Footing
  readonly ways: readonly (readonly string[])[]
}

/** The device at the given addresses, or the one on this machine. @throws UserError when there is none */
const whomToAsk = async (
  { name, state, join, joinFiles, clusterKey }: AskOptions,
  identity: Identity
): Promise<Asked> => {
  const folder = stateFolderOf(name, state)
  const say = (text: string): void => void process.stderr.write(`tributary: ${text}\n`)
  const isNamed = join.length > 0 || joinFiles.length > 0
  const running = isNamed ? undefined : await readRunning(folder)
  // Of the device here one address is enough.
  const asked =
    running === undefined
      ? await askedAt(await readJoins({ join, joinFiles, say }), clusterKey, folder, identity, say)
      : {
          footing: await footingHere({ folder, keyFile: clusterKey ?? running.keyFile }, identity, say),
          ways: [running.addresses]
        }
  const { footing, ways } = asked
  if (footing !== undefined && ways.length > 0) return { footing, ways }
  const others = (await runningHere()).map(device => device.name)
  throw new UserError(
    others.length > 0
      ? `no device runs with ${folder.path}; on this machine run: ${others.join(', ')}. Say which with --name, or name another with --state, --join or ${JOIN_VARIABLE}`
      : `no device runs with ${folder.path}; start it with: tributary node --state ${folder.path}, or name another with --state, --name, --join or ${JOIN_VARIABLE}`
  )
}

/** With an invite, or with what the key file or the state folder here have. */
const askedAt = async (
  joins: readonly string[],
  clusterKey: string | undefined,
  folder: StateFolder,
  identity: Identity,
  say: (text: string) => void
): Promise<Partial<Asked> & Pick<Asked, 'ways'>> => {
  const { footing, ways, keyFile } = await findSecret(joins, clusterKey, folder, say)
  if (footing?.kind !== 'member') return footing === undefined ? { ways } : { footing, ways }
  const vouched = await footingHere({ folder, keyFile }, identity, say)
  return vouched === undefined ? { ways } : { footing: vouched, ways }
}

/** The first device that admits us, and the first again when that has gone. */
const meeting = (
  dial: () => void
): { readonly handlers: NetworkHandlers; readonly device: () => Promise<DeviceId> } => {
  const next = () => {
    const coming = { ...Promise.withResolvers<DeviceId>(), peer: undefined as DeviceId | undefined }
    coming.promise.catch(() => {}) // it may fail while nobody waits for it
    return coming
  }
  let met = next()
  const handlers: NetworkHandlers = {
    onTask: () => ({ kind: 'refused', because: 'an observer computes nothing' }),
    onRequest: async () => create(ReplySchema, { error: 'an observer answers nothing' }),
    onNotice: () => {},
    onState: () => {},
    onPeer: event => {
      if (event.kind === 'refused') met.reject(new UserError(`refused: ${event.because}`))
      else if (event.kind === 'left' && event.peer === met.peer) {
        met = next()
        dial()
      } else if (event.kind === 'joined' && event.role === 'device' && met.peer === undefined) {
        met.peer = event.peer
        met.resolve(event.peer)
      }
    }
  }
  return { handlers, device: () => met.promise }
}
