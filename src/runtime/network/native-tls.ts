import { once } from 'node:events'
import { Socket } from 'node:net'
import { connect, TLSSocket, type TLSSocketOptions } from 'node:tls'
import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory
} from '@libp2p/interface'
import { type TLSComponents, tls } from '@libp2p/tls'
import { generateCertificate, toMessageStream, verifyPeerCertificate } from '@libp2p/tls/utils'
import { NetworkError } from './network.ts'

/**
 * libp2p's TLS (the same bytes on the wire), with Node's TLS directly on the TCP socket. The library's own puts a
 * JavaScript stream between them, through which every record of 16 KiB passes twice; without it a hop of 800 KB takes
 * about two thirds of the time (bench/hop.ts). Falls back to the library where the socket cannot be taken over.
 *
 * Specification: https://github.com/libp2p/specs/blob/master/tls/tls.md
 */
export const nativeTls =
  () =>
  (components: TLSComponents): ConnectionEncrypter => {
    const library = tls()(components)
    const secure =
      (isServer: boolean) =>
      (connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> => {
        const socket = takeOver(connection)
        if (socket !== undefined) return encrypt(components, connection, socket, isServer, options)
        return isServer ? library.secureInbound(connection, options) : library.secureOutbound(connection, options)
      }
    return { protocol: library.protocol, secureInbound: secure(true), secureOutbound: secure(false) }
  }

/** The TCP socket under a libp2p connection, no longer read by it. Undefined when it is no such connection. */
const takeOver = (connection: MessageStream): Socket | undefined => {
  const { socket } = connection as { readonly socket?: unknown }
  if (!(socket instanceof Socket) || socket.destroyed || connection.readBufferLength > 0) return undefined
  socket.pause() // what comes from here on waits in the socket, where TLS finds it
  socket.removeAllListeners('data')
  return socket
}

const encrypt = async (
  components: TLSComponents,
  connection: MessageStream,
  socket: Socket,
  isServer: boolean,
  options: SecureConnectionOptions = {}
): Promise<SecuredConnection> => {
  const muxers = components.upgrader.getStreamMuxers()
  const offered = options.skipStreamMuxerNegotiation === true ? [] : [...muxers.keys()]
  let streamMuxer: StreamMuxerFactory | undefined
  const settings: TLSSocketOptions = {
    ...(await generateCertificate(components.privateKey, options)),
    isServer,
    requestCert: true,
    // Certificates are self-signed; they are verified by the peer id below.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // The muxer is agreed on within the handshake; "libp2p" stands for a peer that cannot do that.
    ALPNProtocols: [...offered, 'libp2p'],
    ALPNCallback: ({ protocols }) => {
      const chosen = protocols.find(protocol => offered.includes(protocol) || protocol === 'libp2p')
      streamMuxer = chosen === undefined ? undefined : muxers.get(chosen)
      return chosen
    }
  }
  if (socket.destroyed) throw new NetworkError('the connection closed before the TLS handshake')
  const secured = isServer ? new TLSSocket(socket, settings) : connect({ socket, ...settings })
  endThrough(connection, secured)
  try {
    await handshake(secured, options.signal)
    const certificate = secured.getPeerCertificate()
    if (certificate.raw === undefined) throw new NetworkError('the peer sent no certificate')
    const remotePeer = await verifyPeerCertificate(certificate.raw, options.remotePeer, connection.log)
    const { alpnProtocol } = secured
    if (!isServer && typeof alpnProtocol === 'string') streamMuxer = muxers.get(alpnProtocol)
    const stream = toMessageStream(connection, secured)
    writeTogether(stream, secured)
    return { remotePeer, connection: stream, ...(streamMuxer === undefined ? {} : { streamMuxer }) }
  } catch (error) {
    secured.destroy()
    connection.abort(error as Error)
    throw error
  }
}

/** @throws when the handshake fails, the socket closes, or the signal aborts */
const handshake = async (socket: TLSSocket, signal?: AbortSignal): Promise<void> => {
  let abort = (): void => {}
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal?.reason)
      signal?.throwIfAborted()
      signal?.addEventListener('abort', abort, { once: true })
      socket.once('secure', resolve)
      socket.once('close', () => reject(new NetworkError('the connection closed during the TLS handshake')))
      // Stays: an error that nobody listens for would end the process.
      socket.on('error', reject)
    })
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/**
 * From now on the connection ends through TLS. The library would reset the TCP socket itself, under the TLS that still
 * uses it: Node 20 does not survive that.
 */
const endThrough = (connection: MessageStream, secured: TLSSocket): void => {
  Object.assign(connection, {
    sendReset: () => void secured.destroy(),
    sendClose: async (): Promise<void> => {
      if (secured.closed) return
      const closed = once(secured, 'close')
      secured.destroySoon()
      await closed
    }
  })
}

/** Hands all pieces of a message to TLS at once: the library writes, and encrypts, a frame's header by itself. */
const writeTogether = (stream: MessageStream, socket: TLSSocket): void => {
  Object.assign(stream, {
    sendData: (data: Iterable<Uint8Array> & { readonly byteLength: number }) => {
      const sentBytes = data.byteLength
      socket.cork()
      for (const piece of data) socket.write(piece)
      socket.uncork()
      return { sentBytes, canSendMore: !socket.writableNeedDrain }
    }
  })
}
