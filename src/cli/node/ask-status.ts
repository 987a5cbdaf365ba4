import { create } from '@bufbuild/protobuf'
import type { DeviceId } from '../../core/ids.ts'
import type { Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { findSecret } from '../../node/cluster-secret.ts'
import { type ClusterStatus, clusterStatusSchema } from '../../runtime/device/device-status.ts'
import { type Reply, ReplySchema, type Request, RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { BlobStore } from '../../runtime/network/blob-store.ts'
import type { ClusterKey } from '../../runtime/network/cluster-key.ts'
import { createIdentity } from '../../runtime/network/identity.ts'
import { createLibp2pNetwork } from '../../runtime/network/libp2p-network.ts'
import { tcpTransport } from '../../runtime/network/tcp-transport.ts'
import type { NetworkHandlers } from '../../runtime/ports/network.ts'
import { readRunning, stateFolderOf } from '../../runtime/state/state-folder.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { JOIN_VARIABLE, readJoins } from './read-joins.ts'

export interface AskOptions {
  readonly name: string
  readonly state: string | undefined
  readonly join: readonly string[]
  readonly joinFiles: readonly string[]
  readonly clusterKey: string | undefined
  readonly timeout: Seconds
}

/** @throws UserError when there is no device to ask, or it does not answer in time */
export const askStatus = async (options: AskOptions): Promise<ClusterStatus> => {
  const reply = await askDevice(options, create(RequestSchema, { body: { case: 'status', value: {} } }))
  if (reply.body.case !== 'status') throw new UserError(`the device answered: ${reply.error}`)
  return clusterStatusSchema.parse(JSON.parse(reply.body.value))
}

/**
 * Join as an observer, ask the first device that answers, leave.
 * @throws UserError when there is no device to ask, or it does not answer in time
 */
export const askDevice = async (options: AskOptions, request: Request): Promise<Reply> => {
  const { timeout } = options
  const { key, ways } = await whomToAsk(options)
  const network = createLibp2pNetwork({
    privateKey: await createIdentity(),
    listen: [],
    transports: [tcpTransport],
    clusterKey: key,
    mdns: false,
    role: 'observer',
    clock: systemClock,
    blobStore: NO_BLOCKS
  })
  const over = new AbortController()
  try {
    const met = meeting(
      systemClock.sleep(timeout, { signal: over.signal }),
      `no device answered at ${ways.flat().join(', ')} within ${timeout} s`
    )
    await network.start(met.handlers)
    for (const way of ways) network.join(...way)
    return await network.request(await met.device, request, { timeout })
  } finally {
    over.abort()
    await network.stop()
  }
}

/** An observer holds none, and writes nothing. */
const NO_BLOCKS: BlobStore = {
  find: async () => undefined,
  partPath: () => '',
  commit: () => Promise.reject(new Error('an observer keeps no blocks')),
  put: () => Promise.reject(new Error('an observer keeps no blocks')),
  remove: async () => {}
}

interface Asked {
  readonly key: ClusterKey
  readonly ways: readonly (readonly string[])[]
}

/** The device at the given addresses, or the one on this machine. @throws UserError when there is none */
const whomToAsk = async ({ name, state, join, joinFiles, clusterKey }: AskOptions): Promise<Asked> => {
  const folder = stateFolderOf(name, state)
  const say = (text: string): void => void process.stderr.write(`tributary: ${text}\n`)
  const isNamed = join.length > 0 || joinFiles.length > 0
  const running = isNamed ? undefined : await readRunning(folder)
  const found =
    running === undefined
      ? await findSecret(await readJoins({ join, joinFiles, say }), clusterKey, folder, say)
      : await findSecret([], clusterKey ?? running.keyFile, folder, say)
  const { key } = found
  // Of the device here one address is enough.
  const ways = running === undefined ? found.ways : [running.addresses]
  if (key !== undefined && ways.length > 0) return { key, ways }
  throw new UserError(
    `no device runs with ${folder.path}; start it with: tributary node --state ${folder.path}, or name another with --state, --name, --join or ${JOIN_VARIABLE}`
  )
}

/** The first device that admits us. */
const meeting = (
  wait: Promise<void>,
  late: string
): { readonly handlers: NetworkHandlers; readonly device: Promise<DeviceId> } => {
  const { promise, resolve, reject } = Promise.withResolvers<DeviceId>()
  wait.then(
    () => reject(new UserError(late)),
    () => {} // no longer waited for
  )
  const handlers: NetworkHandlers = {
    onTask: () => ({ kind: 'refused', because: 'an observer computes nothing' }),
    onRequest: async () => create(ReplySchema, { error: 'an observer answers nothing' }),
    onNotice: () => {},
    onState: () => {},
    onPeer: event => {
      if (event.kind === 'joined' && event.role === 'device') resolve(event.peer)
      if (event.kind === 'refused') reject(new UserError(`refused: ${event.because}`))
    }
  }
  promise.catch(() => {}) // it may fail while the network still starts
  return { handlers, device: promise }
}
