import { create } from '@bufbuild/protobuf'
import type { Connection, Stream } from '@libp2p/interface'
import { BYTES_OF_ANSWERED_WORD, BYTES_OF_WORD, type PeerBudgets, REFUSED_TASK } from '../../cluster/peer-budgets.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import {
  type Acquaintance,
  type Control,
  type Frame,
  type MemberRecords,
  type Notice,
  type Reply,
  ReplySchema,
  type Request
} from '../generated/tributary/v1/wire_pb.ts'
import { controlFromBytes } from '../generated/tributary/v1/wire_straight.ts'
import type { LinkShaper } from '../ports/link-shaper.ts'
import { type ArrivedTask, NetworkError, type Role, type TaskAnswer } from '../ports/network.ts'
import type { WireTensor } from '../ports/wire-tensor.ts'
import type { Member } from './admission.ts'
import { controlHead } from './control-head.ts'
import { ControlSender, encodeControl } from './control-sender.ts'
import type { FrameLimits } from './frame-limits.ts'
import { FrameError, FrameParser, type ParsedFrame } from './frame-parser.ts'
import { type InletParts, readInto } from './inlet.ts'
import type { LinkMeter } from './link-meter.ts'
import { LinkProbe } from './link-probe.ts'
import { MessageParser } from './message-parser.ts'
import { Outlet } from './outlet.ts'
import { plainText } from './plain-text.ts'
import { RequestTable } from './request-table.ts'
import { TaskSender } from './task-sender.ts'

export const TASK_PROTOCOL = '/tributary/task/1'
export const CONTROL_PROTOCOL = '/tributary/control/1'

/** Of one control message: the manifest of a model with thousands of blocks fits many times. */
const CONTROL_LIMIT = 16 * 2 ** 20
/** Of one that nobody asked for: the placement of the largest cluster fits. */
const UNASKED_LIMIT = 2 ** 20
/** Of the header of a task, before it costs words as well: an honest one is shorter by far. */
const FREE_HEADER = 4096
/** Of one peer, that are being answered. */
const MAX_REQUESTS = 64
const REQUEST_TIMEOUT: Seconds = seconds(10)
const COMPLAINT_PATIENCE: Seconds = milliseconds(500)

/** What a session tells its network. */
export interface SessionEvents {
  onTask(arrived: ArrivedTask): TaskAnswer
  onRequest(request: Request): Promise<Reply>
  onNotice(notice: Notice): void
  onAcquaintances(devices: readonly Acquaintance[]): void
  onRecords(records: MemberRecords): void
  /** It asks whether this device is there, and says whether it watches it. */
  onAsked(watches: boolean): void
  /** Another device is not heard by the peer. */
  onDoubt(device: DeviceId): void
  /** Bytes came from the peer. */
  onHeard(): void
  onBroken(kind: FrameError['kind'], because: string): void
}

/** What is remembered of the link to a peer from one session to the next. */
export interface PeerLink {
  readonly meter: LinkMeter
}

export interface SessionParts {
  readonly member: Member
  readonly link: PeerLink
  readonly clock: Clock
  readonly limits: FrameLimits
  readonly shaper: () => LinkShaper | undefined
  readonly events: SessionEvents
  readonly budgets: PeerBudgets
  readonly say: (text: string, level?: 'warn') => void
}

/**
 * All that goes between us and one admitted peer: tasks, control, and the measures of the link to it. It lives as long
 * as any connection to the peer does; the oldest one carries what we send.
 */
export class PeerSession {
  readonly member: Member
  readonly meter: LinkMeter
  readonly shaper: SessionParts['shaper']
  readonly tasks: TaskSender
  readonly control: ControlSender
  readonly #parts: SessionParts
  readonly #connections = new Set<Connection>()
  readonly #taskOutlet: Outlet
  readonly #controlOutlet: Outlet
  readonly #requests: RequestTable
  readonly #probe: LinkProbe
  readonly #streams = new Set<Stream>()
  #taskInlet: Stream | undefined
  #controlInlet: Stream | undefined
  #answering = 0
  #lastPing: Seconds = seconds(0)
  #complaint = ''
  /** That the peer has said and that are not paid for. */
  #words = 0
  #framesIn = 0
  /** Frames both ways when it was last asked. */
  #frames = -1
  #lastFrame: Seconds = seconds(0)

  constructor(parts: SessionParts) {
    const { member, clock, limits, shaper, link } = parts
    this.#parts = parts
    this.member = member
    this.shaper = shaper
    this.meter = link.meter
    this.#taskOutlet = new Outlet(
      () => this.open(TASK_PROTOCOL),
      error => this.tasks.fail(this.#error(`it reset the task stream: ${this.#complaint || error.message}`))
    )
    this.#controlOutlet = new Outlet(
      () => this.open(CONTROL_PROTOCOL),
      error => this.#lost(`it reset the control stream: ${this.#complaint || error.message}`)
    )
    this.control = new ControlSender({ clock, shaper, stream: this.#controlOutlet.get })
    const { meter } = this
    const { get: stream, drop } = this.#taskOutlet
    this.tasks = new TaskSender({ clock, limits, meter, shaper, stream, drop })
    this.#requests = new RequestTable(clock)
    this.#probe = new LinkProbe({ clock, meter, control: this.control, tasks: this.tasks, shaper })
  }

  get connected(): boolean {
    return this.#connections.size > 0
  }

  addConnection(connection: Connection): void {
    this.#connections.add(connection)
  }

  /** What was on its way over it is lost, even if another connection remains. */
  removeConnection(connection: Connection): void {
    if (this.#connections.delete(connection)) this.#lost('its connection closed')
  }

  connections(): readonly Connection[] {
    return [...this.#connections]
  }

  /** @throws NetworkError when there is no connection or the peer does not open the stream */
  async open(protocol: string): Promise<Stream> {
    const connection = [...this.#connections].find(c => c.status === 'open')
    if (connection === undefined) throw new NetworkError('the peer is not connected')
    try {
      return await connection.newStream([protocol], { maxOutboundStreams: 64 })
    } catch (error) {
      throw new NetworkError(`cannot open ${protocol}: ${(error as Error).message}`, { cause: error })
    }
  }

  /** A conversation with the peer, to be ended when its traffic is lost. */
  track(stream: Stream): Stream {
    this.#streams.add(stream)
    stream.addEventListener('close', () => this.#streams.delete(stream))
    return stream
  }

  #error(because: string): NetworkError {
    return new NetworkError(`${this.member.peer}: ${because}`)
  }

  #lost(because: string): void {
    this.lose(this.#error(because))
  }

  /** Nobody may wait any longer for what was asked of this peer or sent to it. */
  lose(error: NetworkError): void {
    this.tasks.fail(error)
    this.control.clear()
    this.#requests.fail(error)
    this.#probe.clear()
    for (const stream of [...this.#streams]) stream.abort(error)
  }

  request(request: Request, timeout = REQUEST_TIMEOUT): Promise<Reply> {
    const value = { case: 'request', value: request } as const
    return this.#requests.ask(this.member.peer, timeout, id => this.control.send(id, value))
  }

  ping(watches = false): void {
    if (this.#probe.ping(watches)) this.#lastPing = this.#parts.clock.now()
  }

  get isOwed(): boolean {
    return !this.tasks.idle
  }

  /** When a frame last passed, either way, or the session began. To be called regularly: it is then that frames are noticed. */
  lastFrame(now: Seconds): Seconds {
    const count = this.tasks.begun + this.#framesIn
    if (count !== this.#frames || !this.tasks.idle) {
      this.#frames = count
      this.#lastFrame = now
    }
    return this.#lastFrame
  }

  get lastPing(): Seconds {
    return this.#lastPing
  }

  get role(): Role {
    return this.member.role
  }

  /** Another device, which this one watches, is silent. */
  sayDoubt(device: DeviceId): void {
    this.control.send(0n, { case: 'doubt', value: { $typeName: 'tributary.v1.Doubt', device } })
  }

  /** The peer's own task stream; a new one replaces the old. */
  acceptTasks(stream: Stream): void {
    this.#taskInlet?.abort(new NetworkError('replaced by a newer stream'))
    this.#taskInlet = stream
    const parser = new FrameParser(this.#parts.limits, parsed => this.#onFrame(parsed))
    readInto(stream, {
      ...this.#reading,
      feed: piece => parser.feed(piece),
      onBroken: error => this.#broken(TASK_PROTOCOL, error),
      onEnd: () => {
        if (this.#taskInlet === stream) this.#taskInlet = undefined
      }
    })
  }

  /** As fast as it may be: what the peer has said lately is on its budget. */
  get #reading(): Pick<InletParts, 'clock' | 'heard' | 'rest'> {
    const { clock, events } = this.#parts
    return { clock, heard: events.onHeard, rest: () => this.#pay() }
  }

  #pay(): Seconds {
    const words = this.#words
    this.#words = 0
    return words === 0 ? seconds(0) : this.#parts.budgets.spends(this.member.peer, 'words', words)
  }

  acceptControl(stream: Stream): void {
    this.#controlInlet?.abort(new NetworkError('replaced by a newer stream'))
    this.#controlInlet = stream
    const parser = new MessageParser(CONTROL_LIMIT, message => this.#onControl(message))
    readInto(stream, {
      ...this.#reading,
      feed: piece => parser.feed(piece),
      onBroken: error => this.#broken(CONTROL_PROTOCOL, error),
      onEnd: error => {
        if (this.#controlInlet !== stream) return
        this.#controlInlet = undefined
        this.#lost(`its control stream ended: ${error.message}`) // and with it answers that were on their way
      }
    })
  }

  /** Tell the peer why before its stream is reset, but do not wait long for the chance to. */
  async #broken(protocol: string, error: FrameError): Promise<void> {
    this.#parts.events.onBroken(error.kind, error.message)
    this.#parts.say(`${this.member.peer} broke ${protocol}: ${error.message}; its stream was reset`, 'warn')
    const value = { $typeName: 'tributary.v1.Complaint', protocol, because: error.message.slice(0, 500) } as const
    const patience = this.#parts.clock.sleep(COMPLAINT_PATIENCE).then(() => undefined)
    const stream = await Promise.race([this.#controlOutlet.get(), patience]).catch(() => undefined)
    if (stream?.writeStatus === 'writable') stream.send(encodeControl(0n, { case: 'complaint', value }))
  }

  #onFrame({ frame, tensors, headerBytes }: ParsedFrame): void {
    this.#framesIn++
    this.#words += Math.ceil(Math.max(0, headerBytes - FREE_HEADER) / BYTES_OF_WORD)
    const answer = frame.body.case === 'task' ? this.#onTask(frame, tensors) : ({ kind: 'accepted' } as const)
    const refused = answer.kind === 'refused' ? answer.because || 'refused' : ''
    if (refused !== '') this.#words += REFUSED_TASK
    const value = { $typeName: 'tributary.v1.Acknowledgement', of: frame.id, refused } as const
    this.control.send(0n, { case: 'acknowledgement', value })
  }

  #onTask({ body, report }: Frame, tensors: readonly WireTensor[]): TaskAnswer {
    if (body.case !== 'task') throw new FrameError('malformed', 'not a task')
    return this.#parts.events.onTask({ from: this.member.peer, task: body.value, tensors, report })
  }

  #onControl(bytes: Uint8Array): void {
    const control = this.#decode(bytes)
    if (control === undefined) return
    const { id, body } = control
    switch (body.case) {
      case 'request':
        this.#reply(id, body.value).catch(error =>
          this.#parts.say(`a reply to ${this.member.peer} cannot be sent: ${error.message}`, 'warn')
        )
        break
      case 'reply':
        this.#requests.answer(id, body.value)
        break
      case 'notice':
        this.#parts.events.onNotice(body.value)
        break
      case 'acknowledgement':
        this.#onAnswer(body.value.of, body.value.refused)
        break
      case 'ping':
        this.#parts.events.onAsked(body.value.watches)
        this.control.send(0n, { case: 'pong', value: body.value })
        break
      case 'pong':
        this.#probe.onPong(body.value.nonce)
        break
      case 'acquaintances':
        this.#parts.events.onAcquaintances(body.value.devices)
        break
      case 'records':
        this.#parts.events.onRecords(body.value)
        break
      case 'doubt':
        this.#parts.events.onDoubt(deviceId(body.value.device))
        break
      case 'complaint':
        this.#complaint = plainText(body.value.because, 500)
        this.#parts.say(
          `${this.member.peer} reset our ${plainText(body.value.protocol, 100)}: ${this.#complaint}`,
          'warn'
        )
        break
      default:
        throw new FrameError('malformed', 'a control message of no known kind')
    }
  }

  /** What it takes to decode is on the peer's budget, and what nobody asked for and is too long is not decoded. */
  #decode(bytes: Uint8Array): Control | undefined {
    try {
      const { id, kind } = controlHead(bytes)
      const isAnswer = kind === 'reply'
      if (isAnswer || kind !== 'acknowledgement' || bytes.byteLength > BYTES_OF_WORD)
        this.#words += Math.ceil(bytes.byteLength / (isAnswer ? BYTES_OF_ANSWERED_WORD : BYTES_OF_WORD)) || 1
      if (isAnswer && !this.#requests.awaits(id)) return undefined
      if (isAnswer || kind === 'records' || bytes.byteLength <= UNASKED_LIMIT) return controlFromBytes(bytes)
    } catch {
      throw new FrameError('malformed', 'a control message that cannot be decoded')
    }
    throw new FrameError('oversized', `${bytes.byteLength} B that nobody asked for, the limit is ${UNASKED_LIMIT} B`)
  }

  #onAnswer(of: bigint, refused: string): void {
    const known = this.tasks.answer(of, refused === '' ? { kind: 'accepted' } : { kind: 'refused', because: refused })
    if (!known) throw new FrameError('malformed', `an answer to frame ${of}, which was never sent`)
  }

  async #reply(id: bigint, request: Request): Promise<void> {
    const value = await this.#answer(request)
    if (!this.control.send(id, { case: 'reply', value }))
      this.#parts.say(`a reply to ${this.member.peer} was dropped`, 'warn')
  }

  async #answer(request: Request): Promise<Reply> {
    if (this.#answering >= MAX_REQUESTS) return create(ReplySchema, { error: 'too many requests at once' })
    this.#answering++
    try {
      return await this.#parts.events.onRequest(request)
    } catch (error) {
      return create(ReplySchema, { error: error instanceof Error ? error.message : String(error) })
    } finally {
      this.#answering--
    }
  }
}
