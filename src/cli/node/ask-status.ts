import { create } from '@bufbuild/protobuf'
import type { DeviceId } from '../../core/ids.ts'
import type { Seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { type ClusterStatus, clusterStatusSchema } from '../../runtime/device/device-status.ts'
import { readRunning, stateFolderOf } from '../../runtime/device/state-folder.ts'
import { type Reply, ReplySchema, type Request, RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { createBlobStore } from '../../runtime/network/disk-blob-store.ts'
import { createIdentity } from '../../runtime/network/identity.ts'
import { createLibp2pNetwork } from '../../runtime/network/libp2p-network.ts'
import type { NetworkHandlers } from '../../runtime/network/network.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { resolveSecret } from './cluster-secret.ts'

export interface AskOptions {
  readonly name: string
  readonly state: string | undefined
  readonly join: readonly string[]
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
export const askDevice = async (
  { name, state, join, clusterKey, timeout }: AskOptions,
  request: Request
): Promise<Reply> => {
  const folder = stateFolderOf(name, state)
  const running = join.length > 0 ? undefined : await readRunning(folder)
  if (join.length === 0 && running === undefined) {
    throw new UserError(`no device runs with ${folder.path}; name one with --state, --name or --join`)
  }
  const secret = await resolveSecret({ join: running === undefined ? join : [running.invite], clusterKey, folder })
  const network = createLibp2pNetwork({
    privateKey: await createIdentity(),
    listen: [],
    clusterKey: secret.key,
    mdns: false,
    role: 'observer',
    clock: systemClock,
    blobStore: createBlobStore({ folder: folder.blobs })
  })
  const over = new AbortController()
  try {
    const met = meeting(
      systemClock.sleep(timeout, { signal: over.signal }),
      `no device answered at ${secret.addresses.join(', ')} within ${timeout} s`
    )
    await network.start(met.handlers)
    for (const address of secret.addresses) network.join(address)
    return await network.request(await met.device, request, { timeout })
  } finally {
    over.abort()
    await network.stop()
  }
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
