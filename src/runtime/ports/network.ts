import type { BlockHash, DeviceId } from '../../core/ids.ts'
import type { Bytes, BytesPerSecond, Seconds } from '../../core/units.ts'
import type { DeviceState, Notice, PolicyReport, Reply, Request, Task } from '../generated/tributary/v1/wire_pb.ts'
import type { WireTensor } from './wire-tensor.ts'

/**
 * What a process is to the others: a device computes; a guest is one that comes for one job, and is neither looked for nor
 * counted once it has left (`tributary infer`); an observer only asks (`tributary status`).
 */
export type Role = 'device' | 'guest' | 'observer'

/** By which a peer commands: it holds the cluster's key, or comes from this device's own machine, with its word. */
export type Right = 'holder' | 'here' | 'none'

export type PeerEvent =
  /** `life` is of the peer's process: another one than before, and it has been started anew. */
  | { readonly kind: 'joined'; readonly peer: DeviceId; readonly role: Role; readonly life: bigint }
  /** `isRemoved`: it is no member any more, and will not be one again. */
  | {
      readonly kind: 'left'
      readonly peer: DeviceId
      readonly role: Role
      readonly because: string
      readonly isRemoved?: true
    }
  /** A peer that could not prove the cluster key, or that refused us. It gets, and we get, nothing else. */
  | { readonly kind: 'refused'; readonly peer: DeviceId; readonly because: string }

export interface ArrivedTask {
  readonly from: DeviceId
  readonly task: Task
  /** Each tensor's data is one whole ArrayBuffer, ready to be transferred to a lane. */
  readonly tensors: readonly WireTensor[]
  readonly report: PolicyReport | undefined
}

/** `refused` says why, in words, and whether the sender should route the task elsewhere. */
export type TaskAnswer = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly because: string }

/** The link was taken from `starts` to `departs` by so many bytes. */
export interface Sent {
  readonly bytes: Bytes
  readonly starts: Seconds
  readonly departs: Seconds
}

/** The life of one frame on its way out. Both promises reject with NetworkError when the peer is lost first. */
export interface Sending {
  /** The link is free for the next frame: the last byte left (after shaping). */
  readonly written: Promise<Sent>
  /** The receiver answered. */
  readonly answered: Promise<TaskAnswer>
}

/** Of one directed link to a peer, from real transfers: exponentially weighted averages. */
export interface LinkMeasure {
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  readonly bytesSent: Bytes
  /** In which a shaped link was taken; 0 for another, of which that is not known. */
  readonly busySeconds: Seconds
  /** It takes the time that its shaper gives it, not what the wires would. */
  readonly shaped: boolean
  /** Of the medium that it shares with other links, of other devices too; absent: a link of its own. */
  readonly medium?: string
}

/** What a node counts about misbehaving peers; shown by `tributary status`. */
export interface NetworkCounters {
  readonly refusedPeers: number
  readonly malformedFrames: number
  readonly oversizedFrames: number
  readonly refusedTasks: number
}

/** Of all peers, what was beyond a budget: by its kind, and who lately. */
export interface PeersBudgets {
  refusals(): ReadonlyMap<string, number>
  beyond(): readonly {
    readonly peer: string
    readonly kind: string
    readonly times: number
    readonly because: string
  }[]
}

/** What a device does with what admitted peers send. */
export interface NetworkHandlers {
  /** Answers fast: the task is queued here, not computed. A throw is a refusal with the error's message. */
  onTask(arrived: ArrivedTask): TaskAnswer
  onRequest(from: DeviceId, request: Request): Promise<Reply>
  onNotice(from: DeviceId, notice: Notice): void
  onState(from: DeviceId, state: DeviceState): void
  onPeer(event: PeerEvent): void
}

/**
 * A device's connection to its cluster. Only peers that proved the cluster key exist for the rest of the program:
 * no handler runs for anybody else, and nothing is answered to them but the refusal.
 */
export interface Network extends AsyncDisposable {
  readonly self: DeviceId
  /** Of this process, as it introduces itself to peers. */
  readonly life: bigint
  /** Where others can dial us: multiaddrs that end in /p2p/<self>. */
  addresses(): readonly string[]
  /** Admitted and connected now. */
  peers(): ReadonlyMap<DeviceId, Role>
  /** @throws UserError when the port is in use or the address is not one */
  start(handlers: NetworkHandlers): Promise<void>
  /** Close streams and connections; idempotent. */
  stop(): Promise<void>
  /** Keep dialling these addresses, with backoff, until one of them answers, all are refused, or the network stops. */
  join(...addresses: readonly string[]): void
  /** Devices that are or were members, the latest first, with where they can be dialled: to be recalled at the next start. */
  acquaintances(): ReadonlyMap<DeviceId, readonly string[]>
  /** Tasks and results. First in, first out per peer; the payload is not copied; the caller gives it away. */
  sendTask(to: DeviceId, task: Task, tensors: readonly WireTensor[], report?: PolicyReport): Sending
  /** @throws NetworkError on loss of the peer or after `timeout` */
  request(to: DeviceId, request: Request, options?: { readonly timeout?: Seconds }): Promise<Reply>
  /** At most once, in order, dropped when the peer is gone. Never waits behind tensors. */
  notify(to: DeviceId, notice: Notice): void
  /** GossipSub: reaches every device, newest wins. */
  publishState(state: DeviceState): void
  /** The block's bytes, into the blob store, from whichever of `holders` gives them; verified by hash, resumable. */
  fetchBlob(hash: BlockHash, size: Bytes, holders: readonly DeviceId[], signal?: AbortSignal): Promise<string>
  /** False: that member is not reached directly, another network lies between, and there never is a `link` to it. @default true for all */
  leadsTo?(to: DeviceId): boolean
  /** @default of nobody */
  rightOf?(peer: DeviceId): Right
  /** The only name that a member may have: its invite was for that. @default any */
  boundName?(peer: DeviceId): string | undefined
  /** On whose budgets it is what a peer says: of one that came by another, or by an invite, on those of all that came so. @default its own */
  payerOf?(peer: DeviceId): string
  /** Undefined until something was measured. Infinity never: loopback gets a real number too. */
  link(to: DeviceId): LinkMeasure | undefined
  counters(): NetworkCounters
  /** Of peers that ask or say more than they may. @default it has none */
  budgets?(): PeersBudgets | undefined
}

/** The peer is gone, never was, or did not answer in time. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
}
