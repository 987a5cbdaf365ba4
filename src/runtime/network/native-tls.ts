import { once } from 'node:events'
import { Socket } from 'node:net'
import { connect, createSecureContext, type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls'
import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory
} from '@libp2p/interface'
import { UnexpectedPeerError } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { TLSComponents } from '@libp2p/tls'
import type { Multiaddr } from '@multiformats/multiaddr'
import { NetworkError } from '../ports/network.ts'
import { type CertifiedPeer, createCertificate, verifyCertificate } from './certificate.ts'
import { duplexOver } from './duplex-over.ts'
import { TlsStream } from './tls-stream.ts'

const PROTOCOL = '/tls/1.0.0'

export interface NativeTlsOptions {
  /** Of this process. */
  readonly incarnation: bigint
  /** The other side has our identity, but is not this process. */
  readonly onTwin: (incarnation: bigint, address: string) => void
}

/**
 * libp2p's TLS (the same bytes on the wire), with Node's TLS directly on the TCP socket. The library's own puts a
 * JavaScript stream between them, through which every record of 16 KiB passes twice; without it a hop of 800 KB takes
 * about two thirds of the time (bench/hop.ts). That stream is put between them only where the socket cannot be taken over.
 *
 * Specification: https://github.com/libp2p/specs/blob/master/tls/tls.md
 */
export const nativeTls =
  (options: NativeTlsOptions) =>
  (components: TLSComponents): ConnectionEncrypter => {
    let context: Promise<SecureContext> | undefined
    // Once: to read a certificate and a key for each connection takes longer than the rest of a handshake.
    const shown = (): Promise<SecureContext> => {
      context ??= createCertificate(components.privateKey, options.incarnation).then(certificate =>
        createSecureContext({ ...certificate, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' })
      )
      return context
    }
    const self = peerIdFromPrivateKey(components.privateKey)
    const secure =
      (isServer: boolean) =>
      async (connection: MessageStream, how?: SecureConnectionOptions): Promise<SecuredConnection> => {
        const socket = takeOver(connection)
        const check = ({ peer, incarnation }: CertifiedPeer): void => {
          if (how?.remotePeer?.equals(peer) === false) throw new UnexpectedPeerError()
          const isTwin = self.equals(peer) && incarnation !== undefined && incarnation !== options.incarnation
          if (isTwin) options.onTwin(incarnation, addressOf(connection))
        }
        return encrypt(components, { connection, socket, isServer, secureContext: await shown(), check }, how)
      }
    return { protocol: PROTOCOL, secureInbound: secure(true), secureOutbound: secure(false) }
  }

const addressOf = (connection: MessageStream): string =>
  String((connection as { readonly remoteAddr?: Multiaddr }).remoteAddr ?? 'an unknown address')

/** The TCP socket under a libp2p connection, no longer read by it. Undefined when it is no such connection. */
const takeOver = (connection: MessageStream): Socket | undefined => {
  const { socket } = connection as { readonly socket?: unknown }
  if (!(socket instanceof Socket) || socket.destroyed || connection.readBufferLength > 0) return undefined
  socket.pause() // what comes from here on waits in the socket, where TLS finds it
  socket.removeAllListeners('data')
  return socket
}

interface Handshake {
  readonly connection: MessageStream
  /** Undefined where the library's stream carries what TLS says. */
  readonly socket: Socket | undefined
  readonly isServer: boolean
  readonly secureContext: SecureContext
  /** @throws when the other side is not who it should be */
  readonly check: (peer: CertifiedPeer) => void
}

const encrypt = async (
  components: TLSComponents,
  { connection, socket, isServer, secureContext, check }: Handshake,
  options: SecureConnectionOptions = {}
): Promise<SecuredConnection> => {
  const muxers = components.upgrader.getStreamMuxers()
  const offered = options.skipStreamMuxerNegotiation === true ? [] : [...muxers.keys()]
  let streamMuxer: StreamMuxerFactory | undefined
  const settings: TLSSocketOptions = {
    secureContext,
    isServer,
    requestCert: true,
    // Certificates are self-signed; they are verified by the peer id below.
    rejectUnauthorized: false,
    // The muxer is agreed on within the handshake; "libp2p" stands for a peer that cannot do that.
    ALPNProtocols: [...offered, 'libp2p'],
    ALPNCallback: ({ protocols }) => {
      const chosen = protocols.find(protocol => offered.includes(protocol) || protocol === 'libp2p')
      streamMuxer = chosen === undefined ? undefined : muxers.get(chosen)
      return chosen
    }
  }
  if (socket?.destroyed) throw new NetworkError('the connection closed before the TLS handshake')
  const carrier = socket ?? duplexOver(connection)
  const secured = isServer ? new TLSSocket(carrier as Socket, settings) : connect({ socket: carrier, ...settings })
  if (socket === undefined) carrier.on('error', error => secured.destroy(error))
  else endThrough(connection, secured)
  try {
    await handshake(secured, options.signal)
    await saidAll()
    const { raw } = secured.getPeerCertificate()
    if (raw === undefined) throw new NetworkError('the peer sent no certificate')
    const certified = await verifyCertificate(raw)
    check(certified)
    const { alpnProtocol } = secured
    if (!isServer && typeof alpnProtocol === 'string') streamMuxer = muxers.get(alpnProtocol)
    const stream = new TlsStream(connection, secured)
    return { remotePeer: certified.peer, connection: stream, ...(streamMuxer === undefined ? {} : { streamMuxer }) }
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

/** What a side says last in the handshake leaves after it hears of its end: without it, the other would not know who this was. */
const saidAll = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

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
