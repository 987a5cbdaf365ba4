import { createServer, type Server as NetServer, type Socket } from 'node:net'
import type { Server } from '@grpc/grpc-js'
import { withPackages } from '../../core/with-packages.ts'
import { BoundedConnections } from '../bounded-connections.ts'
import type { ServingLimits } from '../serving-limits.ts'
import { serviceDefinition } from './service-definition.ts'

/** As it is loaded. */
export type GrpcPackage = Pick<typeof import('@grpc/grpc-js'), 'Metadata' | 'Server' | 'ServerCredentials'>

export interface GrpcServerOptions {
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly limits: ServingLimits
  /** Answers calls. @param grpc the package, which is loaded with it */
  readonly handlers: (grpc: GrpcPackage) => Parameters<Server['addService']>[1]
}

export interface GrpcServer {
  /** What listens. */
  readonly server: NetServer
  /** Ends at once what is open. */
  stop(): Promise<void>
}

/** Streams of one connection at once. */
const MOST_STREAMS = 1024

/** @throws UserError `packageMissing` */
export const createGrpcServer = async ({ tls, limits, handlers }: GrpcServerOptions): Promise<GrpcServer> => {
  const grpc: GrpcPackage = await withPackages('Serving over gRPC', ['@grpc/grpc-js'], async () => {
    const loaded = await import('@grpc/grpc-js')
    return loaded.default ?? loaded
  })
  const inner = new grpc.Server({
    'grpc.max_receive_message_length': limits.body,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': MOST_STREAMS,
    'grpc.max_connection_idle_ms': limits.idle,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 20_000
  })
  inner.addService(serviceDefinition(), handlers(grpc))
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }
        ])
  const injector = inner.createConnectionInjector(credentials)
  const connections = new BoundedConnections(limits.connections)
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    connections.add(socket)
    socket.on('error', () => {}) // its end is told to whoever waits on it
    if (!socket.destroyed) injector.injectConnection(socket)
  })
  return {
    server,
    stop: async () => {
      connections.destroyAll()
      injector.destroy()
      inner.forceShutdown()
      await new Promise<void>(resolve => server.close(() => resolve()))
    }
  }
}
