import { performServerHandshake } from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { BufferPool } from '../../core/buffer-pool.ts'
import type { Clock } from '../../core/clock.ts'
import { sharedBuffer } from '../../runtime/shared-buffer.ts'
import type { Answered } from '../answered.ts'
import { BoundedConnections } from '../bounded-connections.ts'
import { ByteBudget } from '../byte-budget.ts'
import { BODIES_AT_ONCE, type ServingLimits } from '../serving-limits.ts'
import type { GrpcMethod } from './grpc-method.ts'
import { ServedCall, type ServedCallParts } from './served-call.ts'

export interface GrpcServerOptions {
  /** In PEM; undefined: it is not encrypted. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly limits: ServingLimits
  /** By their paths. */
  readonly methods: ReadonlyMap<string, GrpcMethod>
  /** @throws ServingError */
  readonly checkToken: (authorization: string | undefined) => void
  readonly clock: Clock
  readonly say: (text: string, level?: 'warn') => void
  readonly answered?: Answered | undefined
}

export interface GrpcServer {
  /** What listens. */
  readonly server: Server
  /** Ends at once what is open. */
  stop(): Promise<void>
}

/** Bytes that a client may send of one call, and on one connection, before it waits for word that they were read. */
const CALL_WINDOW = 2 ** 20
const CONNECTION_WINDOW = 4 * 2 ** 20
/** Milliseconds without a sign of a client after which its machine is asked for one. */
const PROBE_AFTER = 30_000
/** Bytes of one of its frames: of the least that a client must be allowed, a tensor has dozens. */
const FRAME = 2 ** 18

const SESSION = {
  settings: { initialWindowSize: CALL_WINDOW, maxConcurrentStreams: 1024, maxFrameSize: FRAME },
  /** Megabytes; what is kept of requests and answers is limited elsewhere, and a session over it misbehaves. */
  maxSessionMemory: 4096
}

/** gRPC over Node's own HTTP/2: what a message costs is what its bytes cost. */
export const createGrpcServer = ({ tls, limits, answered = () => {}, ...given }: GrpcServerOptions): GrpcServer => {
  const connections = new BoundedConnections(limits.connections)
  const parts: ServedCallParts = {
    ...{ ...given, answered, most: limits.body, silence: limits.silence },
    ...{ budget: new ByteBudget(BODIES_AT_ONCE * limits.body), buffers: new BufferPool(sharedBuffer) }
  }
  const serve = (over: Socket): void => serveSession(over, limits, parts, () => connections.begin(over))
  const server = tls === undefined ? createPlain(serve) : createEncrypted({ ...tls, patience: limits.headers }, serve)
  server.prependListener('connection', (socket: Socket) => {
    socket.on('error', () => {}) // its end is told to whoever waits on it
    connections.add(socket)
  })
  return {
    server,
    stop: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      connections.destroyAll()
      await closed
    }
  }
}

/** @param over the socket as it was accepted, or TLS over it */
type Serve = (over: Socket) => void

const LISTENING = { noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_AFTER }

const createPlain = (serve: Serve): Server =>
  createServer(LISTENING, socket => {
    if (!socket.destroyed) serve(socket)
  })

/** @param patience milliseconds in which hands must be shaken */
const createEncrypted = (
  { cert, key, patience }: { readonly cert: string; readonly key: string; readonly patience: number },
  serve: Serve
): Server => {
  const options = { ...LISTENING, cert, key, ALPNProtocols: ['h2'], handshakeTimeout: patience }
  const server = createTlsServer(options, over => {
    over.on('error', () => {}) // likewise
    if (over.alpnProtocol === 'h2') serve(over)
    else over.destroy()
  })
  return server.on('tlsClientError', (_, over) => over.destroy())
}

const serveSession = (over: Socket, { idle }: ServingLimits, parts: ServedCallParts, begin: () => () => void): void => {
  const session = performServerHandshake(over, SESSION)
  session.setLocalWindowSize(CONNECTION_WINDOW)
  let calls = 0
  session.on('error', () => {}) // it is closed then
  session.setTimeout(idle, () => {
    if (calls === 0) session.destroy()
  })
  session.on('stream', (stream, headers) => {
    const end = begin()
    calls++
    stream.once('close', () => {
      calls--
      end()
    })
    new ServedCall(stream, headers, parts)
  })
}
