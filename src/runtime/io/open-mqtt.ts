import { connect as connectTcp, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { IPublishPacket, MqttClient } from 'mqtt'
import type { Clock } from '../../core/clock.ts'
import { deferred } from '../../core/deferred.ts'
import { describeFileError } from '../../core/describe-file-error.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import { stopOnce } from '../../core/stop-once.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { MqttAddress } from './mqtt-address.ts'
import { MqttLimiter } from './mqtt-limiter.ts'

export interface MqttOptions {
  readonly address: MqttAddress
  /** The broker keeps what was not acknowledged for whoever comes back with it; unique there. @default one of chance, for whom it keeps nothing */
  readonly clientId?: string
  /** A connection that is lost is not made again: whoever publishes is told, and opens another. Any broker does, of MQTT 5 or before. */
  readonly isOnce?: boolean
  /** So many messages that are not acknowledged are taken at once, whatever the broker sends. @default 16 */
  readonly unacknowledged?: number
  /** Of a message, in bytes: of a larger one only that it came is kept. @default 64 MiB */
  readonly most?: number
  /** So long the broker may take to answer, half as long again once it is there. @default 10 s */
  readonly patience?: Seconds
  /** For the pings while one of QoS 0 is waited for. @default none: whoever only publishes, or takes at once, needs none */
  readonly clock?: Clock
  /** For people: one line. */
  readonly say: (text: string, level?: 'warn') => void
}

export interface MqttMessage {
  readonly topic: string
  readonly payload: Uint8Array
  /** It had so many bytes, and they were not kept. */
  readonly oversize?: number
  /** It is done with: the broker need not send it again. Idempotent. */
  acknowledge(): void
}

type Heard = (message: MqttMessage) => unknown

/** A connection that is made anew whenever it is lost, unless it is to be one alone. */
export interface MqttConnection extends AsyncDisposable {
  /** Why the broker is not there now; '' where it is. */
  because(): string
  /** Resolves when the broker is there. @throws Error with the cause when the first try has failed */
  connected(): Promise<void>
  /**
   * Resolves when the broker has it (at least once), however long it is away; with QoS 0 when it was sent.
   * @param qos @default 1
   * @throws Error with the cause when a connection that is not made again is lost
   */
  publish(topic: string, payload: string | Uint8Array, qos?: 0 | 1): Promise<void>
  /**
   * Resolves when the broker gives its messages, however long it is away.
   * @param heard of each message once, also where it comes again after the connection was lost. What it returns for one of
   * QoS 0 is waited for: until then no more is read, and what comes over another connection is passed over.
   */
  subscribe(topic: string, qos: 0 | 1, heard: Heard): Promise<void>
  /** What is under way goes out first. Idempotent. */
  stop(): Promise<void>
  /** It ends at once; what is under way is let go. */
  abandon(): void
}

const MOST = 2 ** 26
const UNACKNOWLEDGED = 16
/** Of the largest message: those together have as many bytes. */
const MOST_HELD = 2
const PATIENCE: Seconds = seconds(10)
/** Milliseconds: before the broker is asked again, each time twice as long. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000
/** Different things that are told until the broker is there again. */
const MOST_TOLD = 5
const NOT_YET = 'is not connected yet'
/** So often it is pinged while nothing is read. */
const STILL_THERE: Seconds = seconds(10)
/** Seconds: so long the broker keeps what was not acknowledged. */
const KEPT = 7 * 24 * 3600

/** Returns at once: the broker may come later. */
export const openMqtt = async (options: MqttOptions): Promise<MqttConnection> => {
  const imported = await import('mqtt')
  const { MqttClient } = 'MqttClient' in imported ? imported : (imported as { default: typeof imported }).default // bundled
  const cut = new Map<number, number>()
  const { patience = PATIENCE } = options
  const client = new MqttClient(() => streamTo(options, cut), {
    ...(options.clientId === undefined
      ? { clean: true }
      : { clientId: options.clientId, clean: false, resubscribe: true }),
    ...(options.address.user === undefined ? {} : { username: options.address.user }),
    ...(options.address.password === undefined ? {} : { password: options.address.password }),
    ...{ keepalive: Math.max(1, Math.round(1.5 * patience)), connectTimeout: 1000 * patience },
    ...(options.isOnce === true
      ? { protocolVersion: 4 as const, reconnectPeriod: 0 }
      : {
          ...{ protocolVersion: 5 as const, reconnectPeriod: FIRST_PAUSE, reconnectOnConnackError: true },
          properties: { sessionExpiryInterval: KEPT, receiveMaximum: options.unacknowledged ?? UNACKNOWLEDGED }
        })
  })
  return new Connection(client, options, cut)
}

const streamTo = ({ address, most = MOST }: MqttOptions, cut: Map<number, number>): Duplex => {
  const { host, port, isSecure } = address
  cut.clear()
  const socket = isSecure ? connectTls({ host, port, servername: host }) : connectTcp({ host, port })
  return new Limited(socket, new MqttLimiter(most, (messageId, bytes) => cut.set(messageId, bytes)))
}

/** A socket of which what comes goes through the limiter. */
class Limited extends Duplex {
  readonly #socket: Socket
  readonly #limiter: MqttLimiter

  constructor(socket: Socket, limiter: MqttLimiter) {
    super()
    this.#socket = socket
    this.#limiter = limiter
    socket.pipe(limiter)
    socket.on('error', error => this.destroy(error))
    socket.on('close', () => this.destroy())
    limiter.on('error', error => this.destroy(error))
    limiter.on('data', chunk => {
      if (!this.push(chunk)) limiter.pause()
    })
  }

  override _read(): void {
    this.#limiter.resume()
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    this.#limiter.destroy()
    done(error)
  }
}

/** A message that was heard and is not acknowledged to the broker. */
interface Held {
  readonly topic: string
  readonly bytes: number
  /** Of these, in memory. */
  readonly kept: number
  isDone: boolean
}

type SendPacket = (packet: { readonly cmd: string; readonly messageId?: number }, sent?: () => void) => void

class Connection implements MqttConnection {
  readonly #client: MqttClient
  readonly #options: MqttOptions
  readonly #cut: Map<number, number>
  readonly #held = new Map<number, Held>()
  readonly #send: SendPacket
  #heard: Heard = () => {}
  /** Those that were lost. */
  #connections = 0
  /** There may be room for one more. */
  #wake: () => void = () => {}
  /** One of QoS 0 is not taken yet. */
  #isFull = false
  #because = NOT_YET
  /** What was wrong since the broker was there last. */
  readonly #told = new Set<string>()
  #pause = FIRST_PAUSE
  /** Rejects when it is lost and not made again. */
  readonly #lost = deferred<never>()

  constructor(client: MqttClient, options: MqttOptions, cut: Map<number, number>) {
    this.#client = client
    this.#options = options
    this.#cut = cut
    this.#send = this.#takeOver()
    client.on('connect', ({ sessionPresent }) => this.#connected(sessionPresent))
    client.on('error', error => this.#away(describe(error)))
    client.on('close', () => this.#closed())
    client.handleMessage = (packet, handled) => {
      void (packet.qos === 0 ? this.#hearUnheld(packet) : this.#hearHeld(packet)).then(() => handled())
    }
  }

  because(): string {
    return this.#because
  }

  async connected(): Promise<void> {
    if (this.#client.connected) return
    await new Promise<void>((resolve, reject) => {
      this.#client.once('connect', () => resolve())
      this.#client.once('close', () => reject(new Error(this.#because)))
    })
  }

  async publish(topic: string, payload: string | Uint8Array, qos: 0 | 1 = 1): Promise<void> {
    const sent = this.#client.publishAsync(topic, typeof payload === 'string' ? payload : Buffer.from(payload), { qos })
    await Promise.race([sent, this.#lost.promise])
  }

  async subscribe(topic: string, qos: 0 | 1, heard: Heard): Promise<void> {
    this.#heard = heard
    for (;;) {
      await this.#there()
      const connection = this.#connections
      try {
        await this.#client.subscribeAsync(topic, { qos })
        return
      } catch (error) {
        // A connection that was lost meanwhile says nothing of the topic.
        if (this.#client.connected && connection === this.#connections && !isOfConnection(error)) throw error
        if (this.#client.disconnecting) throw error
      }
    }
  }

  /** @throws Error when it ends first */
  async #there(): Promise<void> {
    if (this.#client.connected) return
    const ended = deferred<never>()
    const end = (): void => ended.reject(new Error(this.#because))
    this.#client.once('end', end)
    try {
      await Promise.race([
        new Promise<void>(resolve => this.#client.once('connect', () => resolve())),
        ended.promise,
        this.#lost.promise
      ])
    } finally {
      this.#client.off('end', end)
    }
  }

  abandon(): void {
    this.#because = 'was closed'
    this.#client.end(true)
  }

  readonly #stop = stopOnce(async () => {
    this.#because = 'was closed'
    await this.#client.endAsync(!this.#client.connected) // what is acknowledged goes out first
  })

  stop(): Promise<void> {
    return this.#stop.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop.stop()
  }

  /** The package acknowledges what it has handed over; here it never does: that is sent when the message is done with. @returns what really sends */
  #takeOver(): SendPacket {
    const client = this.#client as unknown as { _sendPacket: SendPacket }
    if (typeof client._sendPacket !== 'function') throw new InvariantError('this version of mqtt sends in another way')
    const send = client._sendPacket.bind(client)
    client._sendPacket = (packet, sent, ...rest: []) => {
      if (packet.cmd === 'puback') sent?.()
      else send(packet, sent, ...rest)
    }
    return send
  }

  /** Nobody sends it again, nor bounds how many come: they are taken one by one. */
  async #hearUnheld(packet: IPublishPacket): Promise<void> {
    if (this.#isFull) return // the connection was lost meanwhile
    this.#isFull = true
    const over = new AbortController()
    void this.#ping(over.signal)
    try {
      await this.#hear(packet)
    } finally {
      over.abort()
      this.#isFull = false
    }
  }

  /** Some brokers send more than they were told may be under way (mosquitto 2.0.11 does): the next is not heard, nor read on, before there is room. */
  async #hearHeld(packet: IPublishPacket): Promise<void> {
    const connection = this.#connections
    const over = new AbortController()
    if (this.#isTooMany(packet)) void this.#ping(over.signal)
    while (connection === this.#connections && this.#isTooMany(packet))
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    over.abort()
    if (connection === this.#connections) this.#hear(packet) // else the broker sends it again
  }

  #isTooMany({ messageId = 0, payload }: IPublishPacket): boolean {
    if (this.#held.has(messageId)) return false
    const { unacknowledged = UNACKNOWLEDGED, most = MOST } = this.#options
    const underWay = [...this.#held.values()].filter(({ isDone }) => !isDone)
    const held = underWay.reduce((sum, { kept }) => sum + kept, payload.length)
    return underWay.length >= unacknowledged || (underWay.length > 0 && held > MOST_HELD * most)
  }

  /** The broker is to know that we are there; its answer is behind what is not read. */
  async #ping(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (clock !== undefined) {
      await clock.sleep(STILL_THERE, { signal }).catch(() => {})
      if (signal.aborted) return
      if (!this.#client.connected) continue
      this.#client.sendPing()
      this.#client.reschedulePing(true)
    }
  }

  #hear({ topic, payload, qos, messageId = 0, dup }: IPublishPacket): unknown {
    const oversize = this.#cut.get(messageId)
    this.#cut.delete(messageId)
    const bytes = oversize ?? payload.length
    const before = this.#held.get(messageId)
    if (qos > 0 && dup && before?.topic === topic && before.bytes === bytes) {
      if (before.isDone) this.#acknowledge(messageId, before)
      return undefined
    }
    const held: Held = { topic, bytes, kept: payload.length, isDone: false }
    if (qos > 0) this.#held.set(messageId, held)
    return this.#heard({
      ...{ topic, payload: Buffer.from(payload), acknowledge: () => this.#acknowledge(messageId, held) },
      ...(oversize === undefined ? {} : { oversize })
    })
  }

  #acknowledge(messageId: number, held: Held): void {
    if (this.#held.get(messageId) !== held) return // it was not to be acknowledged, or the broker has forgotten it
    held.isDone = true
    this.#wake()
    if (!this.#client.connected) return // the broker sends it again
    this.#held.delete(messageId)
    this.#send({ cmd: 'puback', messageId })
  }

  #connected(sessionPresent: boolean): void {
    if (!sessionPresent) this.#held.clear()
    this.#wake()
    if (this.#because !== NOT_YET) this.#tell('is there again')
    this.#because = ''
    this.#told.clear()
    this.#pause = FIRST_PAUSE
    this.#client.options.reconnectPeriod = FIRST_PAUSE
  }

  #closed(): void {
    this.#connections++
    this.#wake()
    if (this.#because === '' || this.#because === NOT_YET) this.#away('the broker has closed the connection')
    if (this.#options.isOnce === true) {
      this.#lost.reject(new Error(this.#because))
      return
    }
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
    this.#client.options.reconnectPeriod = this.#pause
  }

  /** Once for each thing that is wrong, not once for each try. */
  #away(because: string): void {
    this.#because = because
    if (this.#told.has(because) || this.#told.size >= MOST_TOLD) return
    this.#told.add(because)
    this.#tell(`${because}; tried again`, 'warn')
  }

  #tell(text: string, level?: 'warn'): void {
    this.#options.say(`${this.#options.address.shown}: ${text}`, level)
  }
}

/** As the package calls it. */
const isOfConnection = (error: unknown): boolean => error instanceof Error && /^connection closed$/i.test(error.message)

/** Of several tries to reach it the error is one of many, without words. */
const describe = (error: Error): string => {
  const [first] = error instanceof AggregateError ? error.errors : [error]
  return describeFileError(first)
}
