import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  type ChannelOptions,
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceClientConstructor
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ELEMENT_TYPES, type Tensor } from '../../src/core/tensor.ts'

/** Built files run from dist/bench/peers/; the .proto stays where it was written. */
const PROTO = fileURLToPath(new URL('../../../bench/peers/relay.proto', import.meta.url))
const WINDOW = 8 * 2 ** 20

export interface Activation {
  readonly source: number
  readonly datum: number
  readonly route: number
  readonly step: number
  readonly tensors: readonly Tensor[]
}

/** PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface RelayOptions {
  readonly self: number
  /** `pull` has a flow-control window of 8 MiB, `push` grpc-js's 64 KiB, which cannot be changed on that side. */
  readonly direction: 'push' | 'pull'
  /** Undefined: not encrypted. */
  readonly certificate: Certificate | undefined
  readonly onActivation: (activation: Activation) => void
  readonly onReceipt?: () => void
}

/** Both ends of a call look like this, whoever made it. */
interface Call<Sent, Received> {
  write(message: Sent): boolean
  on(event: 'data', listener: (message: Received) => void): this
  on(event: 'error', listener: (error: Error) => void): this
  once(event: 'drain', listener: () => void): this
  readonly metadata: Metadata
}

type Out = Call<Activation, object>
type In = Call<object, Activation>

interface DeviceClient extends Client {
  Push(metadata: Metadata): Out
  Pull(metadata: Metadata): In
}

interface DevicePackage {
  readonly peer: { readonly v1: { readonly Device: ServiceClientConstructor } }
}

const { Device } = (
  loadPackageDefinition(loadSync(PROTO, { longs: Number, defaults: true })) as unknown as DevicePackage
).peer.v1

const OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.ssl_target_name_override': 'device', // an address is no name that TLS may be asked for
  'grpc.enable_http_proxy': 0
}

/** One device's streams to all others: activations out with backpressure, activations in, each with its receipt. */
export class Relay {
  readonly #options: RelayOptions
  readonly #server = new Server(OPTIONS)
  readonly #outs = new Map<number, PromiseWithResolvers<Out>>()
  readonly #clients: Client[] = []
  #port = 0

  private constructor(options: RelayOptions) {
    this.#options = options
  }

  static async start(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options)
    relay.#server.addService(Device.service, {
      Push: (call: In) => relay.#receive(call),
      Pull: (call: Out) => relay.#outOf(deviceOf(call)).resolve(relay.#watched(call))
    })
    const { certificate } = options
    const secret =
      certificate === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.cert) }
          ])
    const bound = Promise.withResolvers<number>()
    relay.#server.bindAsync('127.0.0.1:0', secret, (error, port) =>
      error === null ? bound.resolve(port) : bound.reject(error)
    )
    relay.#port = await bound.promise
    return relay
  }

  get port(): number {
    return this.#port
  }

  /** Open a stream to and from every other device. Resolves when all can be sent to. */
  async connect(ports: ReadonlyMap<number, number>): Promise<void> {
    const { self, direction } = this.#options
    for (const [device, port] of ports) {
      const client = this.#call(port)
      const metadata = new Metadata()
      metadata.set('device', String(self))
      if (direction === 'push') this.#outOf(device).resolve(this.#watched(client.Push(metadata)))
      else this.#receive(client.Pull(metadata))
    }
    await Promise.all([...ports.keys()].map(device => this.#outOf(device).promise))
  }

  /** Resolves when the stream takes more. */
  async send(to: number, activation: Activation): Promise<void> {
    const out = await this.#outOf(to).promise
    if (!out.write(activation)) await once(out as unknown as NodeJS.EventEmitter, 'drain')
  }

  stop(): void {
    for (const client of this.#clients) client.close()
    this.#server.forceShutdown()
  }

  #call(port: number): DeviceClient {
    const { certificate, direction } = this.#options
    const secret =
      certificate === undefined
        ? credentials.createInsecure()
        : // Certificates are self-signed.
          credentials.createSsl(null, null, null, { rejectUnauthorized: false })
    const options = direction === 'pull' ? { ...OPTIONS, 'grpc-node.flow_control_window': WINDOW } : OPTIONS
    const client = new Device(`127.0.0.1:${port}`, secret, options)
    this.#clients.push(client)
    return client as unknown as DeviceClient
  }

  #outOf(device: number): PromiseWithResolvers<Out> {
    const out = this.#outs.get(device) ?? Promise.withResolvers<Out>()
    this.#outs.set(device, out)
    return out
  }

  #watched(out: Out): Out {
    return out.on('data', () => this.#options.onReceipt?.()).on('error', () => {})
  }

  #receive(call: In): void {
    call
      .on('data', activation => {
        this.#options.onActivation({ ...activation, tensors: activation.tensors.map(aligned) })
        call.write({})
      })
      .on('error', () => {})
  }
}

const deviceOf = (call: Out): number => Number(call.metadata.get('device')[0])

/** Copied only where the message's bytes do not begin where its elements may. */
const aligned = (tensor: Tensor): Tensor =>
  tensor.data.byteOffset % ELEMENT_TYPES[tensor.type] === 0 ? tensor : { ...tensor, data: new Uint8Array(tensor.data) }
