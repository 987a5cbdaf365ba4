import type { Router } from 'zeromq'
import type { Clock } from '../../core/clock.ts'
import { stopOnce } from '../../core/stop-once.ts'
import type { Bytes } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { withPackages } from '../../core/with-packages.ts'
import type { RequestDesk } from '../../runtime/device/requests/request-desk.ts'
import type { ModelRepository } from '../model-repository.ts'
import { FrigateModels } from './frigate-models.ts'
import { FrigateService } from './frigate-service.ts'

export interface FrigateOptions {
  /** Where Frigate's `zmq` detectors connect to: tcp://HOST:PORT, tcp://*:PORT, ipc://PATH. */
  readonly endpoint: string
  readonly desk: RequestDesk
  readonly repository: ModelRepository
  readonly clock: Clock
  /** For what Frigate brings. */
  readonly folder: string
  /** That this device has for blocks. */
  readonly memory: Bytes
  readonly threads: number
  /** Of one message. */
  readonly limit: Bytes
  readonly say: (text: string, level?: 'warn') => void
}

/** Frigate is answered until this is disposed. */
export interface FrigateDoor extends AsyncDisposable {
  /** With the port that it has got. */
  readonly endpoint: string
}

/** Messages that wait unread, of one connection: each may be as large as a model. */
const UNREAD = 4

/** @throws UserError `packageMissing`, `cannotListen` */
export const openFrigate = async (options: FrigateOptions): Promise<FrigateDoor> => {
  const { endpoint, limit, clock, say } = options
  const { Router: ZmqRouter } = await withPackages('Answering Frigate', ['zeromq'], () => import('zeromq'))
  const router = new ZmqRouter({
    maxMessageSize: limit,
    receiveHighWaterMark: UNREAD,
    linger: 0,
    ipv6: /[[*]/.test(endpoint)
  })
  try {
    await router.bind(endpoint)
  } catch (error) {
    router.close()
    throw new UserError(`${endpoint}: ${(error as Error).message}; choose another endpoint, like tcp://*:5555`, {
      code: 'cannotListen',
      facts: { endpoint },
      cause: error
    })
  }
  const models = new FrigateModels(options)
  const answering = answerAll(router, new FrigateService({ models, clock, say }), say)
  const at = router.lastEndpoint ?? endpoint
  say(`Frigate is answered at ${at}`)
  const { stop } = stopOnce(async () => {
    router.close()
    await answering
    await models[Symbol.asyncDispose]()
  })
  return { endpoint: at, [Symbol.asyncDispose]: stop }
}

/** Until the socket is closed; many requests at a time. */
const answerAll = async (router: Router, service: FrigateService, say: FrigateOptions['say']): Promise<void> => {
  let sending = Promise.resolve()
  // One message is written at a time. Whoever has gone meanwhile gets none: the socket drops it.
  const send = (frames: readonly Buffer[]): void => {
    sending = sending.then(() => router.send([...frames])).catch(() => {})
  }
  try {
    for await (const [identity, empty, header, payload] of router) {
      // What no REQ socket sends has nowhere to be answered.
      if (identity === undefined || empty?.byteLength !== 0 || header === undefined) continue
      void service
        .answer(identity.toString('hex'), header, payload)
        .then(answer => send([identity, empty, answer]))
        .catch(error => say(`an answer to Frigate failed: ${(error as Error).message}`, 'warn'))
    }
  } catch (error) {
    if (!router.closed) say(`Frigate is not answered any more: ${(error as Error).message}`, 'warn')
  }
  await sending
}
