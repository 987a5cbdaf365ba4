import { create } from '@bufbuild/protobuf'
import { AuditSuspects } from '../../../cluster/audit-suspects.ts'
import type { Clock } from '../../../core/clock.ts'
import type { DeviceId, ModelId } from '../../../core/ids.ts'
import type { JobGuard } from '../../../core/job-guard.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import type { DeviceTask } from '../../dispatch/device-task.ts'
import { copied, KeptActivations } from '../../dispatch/kept-activations.ts'
import { type Reply, ReplySchema, type ShowRequest, TaskSchema } from '../../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../../ports/network.ts'
import type { Random } from '../../ports/random.ts'
import type { WireTensor } from '../../ports/wire-tensor.ts'
import type { CircuitBreaker } from '../circuit-breaker.ts'
import { describeSetAside } from '../describe-set-aside.ts'
import type { LineFacts } from '../line-facts.ts'
import type { LogLevel } from '../log-level.ts'
import type { DatumTaker } from '../source-port.ts'
import { type AuditOutcome, Auditor } from './auditor.ts'
import { Errands, errandsOf } from './errands.ts'
import { keptOf } from './kept-of.ts'
import { Trails } from './trails.ts'

export interface AuditDeskParts {
  readonly clock: Clock
  readonly guard: JobGuard
  readonly network: Network
  readonly view: ClusterView
  readonly random: Random
  readonly breaker: CircuitBreaker
  /** Of this device's data, which is computed a second time. @default 0 */
  readonly audit?: number
  readonly submit: (task: DeviceTask) => void
  readonly cancel: (belongs: (task: DeviceTask) => boolean) => void
  /** Of this device. */
  readonly source: (id: string) => DatumTaker | undefined
  /** The breaker has set somebody aside. */
  readonly setAside: () => void
  readonly say: (text: string, level?: LogLevel, facts?: LineFacts) => void
  readonly event: (event: { readonly event: string; readonly [key: string]: unknown }) => void
}

const NONE: Readonly<Record<AuditOutcome, number>> = { agreed: 0, deviated: 0, undecided: 0, impossible: 0 }

/** What a device does so that results are looked at: those of its own data, where it is told to, and for others who do. */
export class AuditDesk {
  readonly #parts: AuditDeskParts
  readonly #kept: KeptActivations
  readonly #trails: Trails
  readonly #errands: Errands
  /** Absent where nothing of its own is looked at. */
  readonly #auditor: Auditor | undefined

  constructor(parts: AuditDeskParts) {
    this.#parts = parts
    const { clock, audit: share = 0, random } = parts
    this.#kept = new KeptActivations(() => clock.now())
    this.#trails = new Trails({ ...parts, kept: this.#kept })
    this.#errands = new Errands(parts)
    if (share === 0) return
    this.#auditor = new Auditor({
      ...parts,
      ...{ share, kept: this.#kept, trails: this.#trails, errands: this.#errands, suspects: new AuditSuspects() },
      chance: () => new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32,
      deliver: task => parts.source(task.source)?.delivered(task),
      reject: (ref, failure) => parts.source(ref.source)?.failed(ref, failure),
      blame: (...found) => this.#blame(...found),
      say: text => parts.say(text, 'warn')
    })
  }

  get isOn(): boolean {
    return this.#auditor !== undefined
  }

  get counts(): Readonly<Record<AuditOutcome, number>> {
    return this.#auditor?.counts ?? NONE
  }

  holds(source: string, datum: number): boolean {
    return this.#auditor?.holds(source, datum) === true
  }

  /** Of what this device asks others to compute again. */
  taker(source: string): DatumTaker | undefined {
    return source === this.#errands.id ? this.#errands : undefined
  }

  cameHome(task: DeviceTask): void {
    if (task.source === this.#errands.id) this.#errands.delivered(task)
    else if (this.#auditor === undefined) this.#parts.source(task.source)?.delivered(task)
    else this.#auditor.cameHome(task)
  }

  sentOut(task: DeviceTask, to: DeviceId, tensors: readonly WireTensor[]): void {
    if (this.isOn && task.source !== this.#errands.id) this.#kept.keep(keptOf(task), 'to', to, task.done, tensors)
  }

  /** A task has come, and is taken. */
  came(task: DeviceTask, from: DeviceId): void {
    const { homeId, source, done, tensors } = task
    // What was asked for is back: it is not to go on from here.
    if (homeId === this.#parts.view.self && source === this.#errands.id) task.until = done
    else if (source !== errandsOf(homeId) && this.#isAudited(homeId))
      this.#kept.keep(keptOf(task), 'from', from, done, tensors)
  }

  #isAudited(home: DeviceId): boolean {
    return home === this.#parts.view.self ? this.isOn : this.#parts.view.state(home)?.audits === true
  }

  /** Another device shows what had come to it. */
  shown(from: DeviceId, turn: number, task: DeviceTask): void {
    this.#trails.shown(from, turn, task, task.tensors)
  }

  /** The home of a datum is shown what has come to this device of it. */
  show(home: DeviceId, { source, datum, attempt, model, before, tensors, token }: ShowRequest): Reply {
    const turn = before === 0n ? Number.POSITIVE_INFINITY : Number(before)
    const found = this.#kept.trace({ home, source, datum: Number(datum), attempt, token }, 'from', turn)
    if (found === undefined || (tensors && found.tensors === undefined))
      return create(ReplySchema, { error: 'nothing of it is kept here' })
    const value = { from: found.peer, done: found.done, turn: BigInt(found.turn) }
    if (tensors && found.tensors !== undefined) {
      const task = create(TaskSchema, { source, datum, attempt, model, home, done: value.done, shown: value.turn })
      this.#parts.network.sendTask(home, task, found.tensors.map(copied)).answered.catch(() => {}) // its home asks no more
    }
    return create(ReplySchema, { body: { case: 'shown', value } })
  }

  forget(device: DeviceId): void {
    this.#auditor?.forget(device)
  }

  restarted(device: DeviceId): void {
    this.#auditor?.restarted(device)
  }

  /** To be called often. */
  tick(): void {
    this.#kept.expire()
  }

  #blame(device: DeviceId, model: ModelId, because: string, results: number): void {
    const { breaker, clock, view, say, event, setAside } = this.#parts
    const now = clock.now()
    const found = breaker.deviates(device, model, because, now)
    if (found === undefined) return
    const name = view.nameOf(device)
    say(describeSetAside(found, view, now), 'warn', { kind: 'setAside', device: name })
    say(`of the last ${results} results here those that ${name} had a part in may be wrong`, 'warn')
    event({ event: 'deviation', level: 'warn', id: device, name, model: view.labelOf(model), because, results })
    setAside()
  }
}
