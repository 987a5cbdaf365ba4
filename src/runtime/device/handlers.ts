import { create, toBinary } from '@bufbuild/protobuf'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import type { PeerBudgets } from '../../cluster/peer-budgets.ts'
import type { PlacementInbox } from '../../cluster/placement-inbox.ts'
import { TaskRoom } from '../../cluster/task-room.ts'
import type { WindowStretch } from '../../cluster/window-stretch.ts'
import type { Clock } from '../../core/clock.ts'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { isFinished } from '../../core/progress.ts'
import { bytes, seconds } from '../../core/units.ts'
import type { Dispatcher } from '../../scheduler/dispatch/dispatcher.ts'
import type { Report } from '../../scheduler/policy.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { toWire } from '../cluster/manifest-codec.ts'
import { MisfitError } from '../cluster/misfit-error.ts'
import type { ModelFarewells } from '../cluster/model-farewells.ts'
import { placementFromWire, placementToWire } from '../cluster/placement-codec.ts'
import { stateFault } from '../cluster/state-fault.ts'
import { type DeviceTask, payloadBytes } from '../dispatch/device-task.ts'
import { reportFromWire } from '../dispatch/report-codec.ts'
import { reportFault } from '../dispatch/report-fault.ts'
import { answersFor, taskFromWire } from '../dispatch/task-codec.ts'
import {
  type Clearance,
  type Custody,
  type DeviceState,
  DeviceStateSchema,
  type DrainRequest,
  type Failure,
  type Lost,
  type ModelsRequest,
  type Notice,
  type Placement,
  type PolicyReport,
  type Reply,
  ReplySchema,
  type Request,
  type StepsRequest,
  type Task,
  type Withdraw
} from '../generated/tributary/v1/wire_pb.ts'
import type { ArrivedTask, Network, NetworkHandlers, PeerEvent, TaskAnswer } from '../ports/network.ts'
import type { AuditDesk } from './audit/audit-desk.ts'
import type { DatumDoor } from './datum-door.ts'
import { describeSetAside } from './describe-set-aside.ts'
import type { ClusterStatus } from './device-status.ts'
import type { LineFacts } from './line-facts.ts'
import type { LogLevel } from './log-level.ts'
import { MAY_NOT_COMMAND, mayCommand } from './may-command.ts'
import { notice } from './notice.ts'
import type { DatumRef, DatumTaker } from './source-port.ts'

export interface HandlerParts {
  readonly clock: Clock
  readonly network: Network
  readonly view: ClusterView
  readonly dispatcher: Dispatcher<DeviceTask>
  readonly stretch: WindowStretch
  /** Who is told what becomes of data of this name. */
  readonly source: (id: string) => DatumTaker | undefined
  /** What is looked at, of this device's data and of others'. */
  readonly audits: Pick<AuditDesk, 'came' | 'shown' | 'show'>
  /** Of models that have left. */
  readonly farewells: Pick<ModelFarewells, 'heard'>
  /** What is said about data of sources here goes through it. */
  readonly door: DatumDoor
  readonly draining: () => boolean
  readonly status: () => ClusterStatus
  /** What `tributary model` asks. */
  readonly models: (request: ModelsRequest) => Promise<Reply>
  /** What `tributary reload` asks. */
  readonly reload?: (() => Promise<string>) | undefined
  /** What was done lately for data. */
  readonly steps: (request: StepsRequest) => Promise<Reply>
  /** Stops this device or another one, once others have taken over. */
  readonly drain: (from: DeviceId, request: DrainRequest) => Promise<Reply>
  readonly placement: () => NumberedPlacement | undefined
  /** A placement was heard of. */
  readonly inbox: Pick<PlacementInbox, 'heard' | 'left'>
  /** What was heard is not believed. */
  readonly refused: (from: DeviceId, because: string) => void
  readonly changed: () => void
  /** A task comes. */
  readonly arrives: () => void
  readonly peerLost: (peer: DeviceId) => void
  readonly joined: (peer: DeviceId) => void
  /** Another process has taken the place of a device. */
  readonly restarted: (peer: DeviceId) => void
  /** What arrived is no activation: `device` failed at the block before. */
  readonly blame: (task: Task, device: DeviceId, because: string) => void
  /** A neighbour cleared what this device asked to send it. */
  readonly granted: (by: DeviceId) => void
  readonly named?: ((device: DeviceId, name: string) => void) | undefined
  /** Of the other devices. */
  readonly budgets: PeerBudgets
  readonly say: (text: string, level?: LogLevel, facts?: LineFacts) => void
  /** For programs: `deviceJoined` when a device has said its name, `deviceLeft` when it is gone. */
  readonly event: (event: { readonly event: string; readonly [key: string]: unknown }) => void
}

/** What this device does with what admitted peers send. Anything that does not fit is refused or ignored, never fatal. */
export const createHandlers = (parts: HandlerParts): NetworkHandlers => {
  /** Devices that are there and whose name has been told. */
  const greeted = new Set<DeviceId>()
  return handlersOf(parts, greeted, roomOf(parts))
}

/** For tasks of others. */
const roomOf = ({ clock, dispatcher }: HandlerParts): TaskRoom =>
  new TaskRoom({
    now: () => clock.now(),
    *here() {
      for (const task of dispatcher.tasks()) {
        const { from, homeId: home } = task
        if (from !== undefined) yield { from, home, bytes: bytes(payloadBytes(task)) }
      }
    }
  })

const handlersOf = (parts: HandlerParts, greeted: Set<DeviceId>, room: TaskRoom): NetworkHandlers => ({
  onTask: arrived => onTask(parts, arrived, room),
  onRequest: (from, request) => answer(parts, from, request),
  onNotice: (from, { body }) => {
    if (body.case === 'state') hearTold(parts, from, body.value, greeted)
    else onNotice(parts, from, body)
  },
  onState: (from, state) => onState(parts, from, state, greeted),
  onPeer: event => {
    if (event.kind === 'left' && greeted.delete(event.peer)) {
      const { peer: id, because } = event
      parts.event({ event: 'deviceLeft', id, name: parts.view.state(id)?.name ?? '', because })
    }
    onPeer(parts, event)
  }
})

const onState = (parts: HandlerParts, from: DeviceId, state: DeviceState, greeted: Set<DeviceId>): void => {
  // Who only looks has none: what it said would be kept, and would count as a device's.
  if (parts.network.peers().get(from) === 'observer') return
  const fault = stateFault(state) ?? nameFault(parts, from, state)
  if (fault !== undefined) {
    sayOf(parts, from)(`a state of ${from.slice(-8)} is not heard: ${fault}`, 'warn')
    return
  }
  if (parts.view.heard(from, state, parts.clock.now())) {
    if (state.name !== '') parts.named?.(from, state.name)
    parts.changed()
  }
  hearSetAside(parts, from, state)
  if (from !== parts.view.self && !parts.view.isGuest(from)) parts.farewells.heard(from, state)
  if (from === parts.view.self || greeted.has(from) || state.name === '') return
  greeted.add(from)
  const device = parts.view.nameOf(from)
  sayOf(parts, from)(`${device} is there`, 'info', { kind: 'joined', device })
  parts.event({ event: 'deviceJoined', id: from, name: state.name })
  sayNamesakes(parts, from, state.name)
}

/** Until it has said one, it has none. */
const nameFault = ({ network }: HandlerParts, from: DeviceId, { name }: DeviceState): string | undefined => {
  const bound = network.boundName?.(from)
  if (bound === undefined || name === bound || name === '') return undefined
  return `it calls itself ${name}, and its invite was for ${bound}`
}

/** Of the device that tells it, and on the same budgets as what comes by gossip. */
const hearTold = (parts: HandlerParts, from: DeviceId, state: DeviceState, greeted: Set<DeviceId>): void => {
  const { budgets } = parts
  if (state.device !== from || !budgets.takes(from, 'states')) return
  const isPaid = (): boolean => budgets.takes(from, 'stateBytes', toBinary(DeviceStateSchema, state).byteLength)
  if (stateFault(state) === undefined && !isPaid()) return
  onState(parts, from, state, greeted)
}

/** Each device has a namesake, and is told apart from it; but its user thinks of one. */
const sayNamesakes = (parts: HandlerParts, device: DeviceId, name: string): void => {
  const { view } = parts
  const say = sayOf(parts, device)
  const all = [device, ...view.namesakes(device)]
  if (all.length === 1) return
  const which = all.map(id => (id === view.self ? `this one, ${view.nameOf(id)}` : view.nameOf(id))).join('; ')
  say(`${all.length} devices are called ${name} (${which}): start all but one under another name`, 'warn')
}

const onTask = (parts: HandlerParts, arrived: ArrivedTask, room: TaskRoom): TaskAnswer => {
  const from = parts.view.world.deviceIndex(arrived.from)
  if (from === undefined) return { kind: 'refused', because: 'you are not known here yet' }
  let answer: TaskAnswer | undefined
  try {
    answer = take(parts, arrived, from, room)
    return answer
  } catch (error) {
    if (error instanceof MisfitError && mayBeBlamed(parts, arrived))
      parts.blame(arrived.task, answersFor(arrived) ?? parts.view.self, error.message)
    throw error
  } finally {
    // Also where it does not fit: what was cleared for it is free for others.
    if (answer?.kind !== 'accepted') parts.dispatcher.givenBack(from)
  }
}

/** Of data of its own a home hears those alone who were given them: others would have them sent out again. Other homes judge for themselves. */
const mayBeBlamed = ({ view, source, door }: HandlerParts, { task, from }: ArrivedTask): boolean =>
  task.home !== view.self ||
  (source(task.source) !== undefined && door.lets(from, refOf(task), task.token, 'what is no activation'))

const take = (parts: HandlerParts, arrived: ArrivedTask, from: number, room: TaskRoom): TaskAnswer => {
  const { view, clock, dispatcher, network } = parts
  if (arrived.report !== undefined && reportFault(arrived.report) === undefined)
    dispatcher.policy.heard(from, believedOf(view, arrived.from, arrived.report), clock.now())
  const task = taskFromWire(arrived, view, clock.now())
  if (arrived.task.shown !== 0n) {
    parts.audits.shown(arrived.from, Number(arrived.task.shown), task)
    return { kind: 'accepted' }
  }
  const complete = isFinished(view.world, task)
  if (parts.draining() && !complete) return { kind: 'refused', because: 'this device is stopping' }
  if (task.homeId === view.self) {
    if (parts.source(task.source) === undefined)
      return { kind: 'refused', because: `source ${task.source} is not here` }
    if (!parts.door.lets(arrived.from, task, arrived.task.token, complete ? 'a result' : 'an activation'))
      return { kind: 'refused', because: `datum ${task.datum} of ${task.source} was not given out like this` }
  } else {
    const because = room.refusal({ from: arrived.from, home: task.homeId, bytes: bytes(payloadBytes(task)) })
    if (because !== undefined) return { kind: 'refused', because }
    network.notify(task.homeId, custodyOf(arrived.task))
  }
  parts.arrives()
  parts.audits.came(task, arrived.from)
  dispatcher.arrive(task, from)
  return { kind: 'accepted' }
}

/** One is sent for each task: a literal with all members, which the library need not fill in. */
const custodyOf = ({ source, datum, attempt, done, token }: Task): Notice => ({
  $typeName: 'tributary.v1.Notice',
  body: { case: 'custody', value: { $typeName: 'tributary.v1.Custody', source, datum, attempt, done, token } }
})

const mayNot = create(ReplySchema, { error: MAY_NOT_COMMAND })

const answer = async (parts: HandlerParts, from: DeviceId, { body }: Request): Promise<Reply> => {
  switch (body.case) {
    case 'status':
      return create(ReplySchema, { body: { case: 'status', value: JSON.stringify(parts.status()) } })
    case 'manifest': {
      const manifest = parts.view.manifest(modelId(body.value.model))
      if (manifest === undefined) return create(ReplySchema, { error: `model ${body.value.model} is not known here` })
      return create(ReplySchema, { body: { case: 'manifest', value: toWire(manifest) } })
    }
    case 'models':
      if (body.value.body.case === 'remove' && !mayCommand(parts.network, from)) return mayNot
      return parts.models(body.value)
    case 'reload':
      return mayCommand(parts.network, from) ? reload(parts) : mayNot
    case 'steps':
      return parts.steps(body.value)
    case 'show':
      return parts.audits.show(from, body.value)
    case 'drain':
      return parts.drain(from, body.value)
    default:
      return create(ReplySchema, { error: 'this request is not known here; is the other device of a newer version?' })
  }
}

const reload = async ({ reload: work }: HandlerParts): Promise<Reply> => {
  if (work === undefined) return create(ReplySchema, { error: 'this device was started without a config file' })
  try {
    return create(ReplySchema, { body: { case: 'reload', value: await work() } })
  } catch (error) {
    return create(ReplySchema, { error: error instanceof Error ? error.message : String(error) })
  }
}

const onNotice = (parts: HandlerParts, from: DeviceId, body: Notice['body']): void => {
  const { view } = parts
  switch (body.case) {
    case 'report':
      hearReport(parts, from, body.value)
      return
    case 'custody':
      onCustody(parts, from, body.value)
      return
    case 'lost':
      sourceOf(parts, from, body.value, 'the loss')?.lost(
        refOf(body.value),
        deviceId(body.value.device),
        ...(body.value.device === from ? (['letGo'] as const) : [])
      )
      return
    case 'failure': {
      const { device, block, because } = body.value
      const accused = device === '' || device === from ? undefined : deviceId(device)
      const said = { block, because: because.slice(0, 1000) }
      const failure = accused === undefined ? { device: from, ...said } : { device: accused, accuser: from, ...said }
      sourceOf(parts, from, body.value, 'a failure')?.failed(refOf(body.value), failure)
      return
    }
    case 'withdraw':
      onWithdraw(parts, from, body.value)
      return
    case 'clearance':
      onClearance(parts, from, body.value)
      return
    case 'placement':
      hearPlacement(parts, from, body.value)
      return
    case 'goodbye':
      view.saidGoodbye(from)
      return
    default: // of a newer version: not for us
  }
}

const hearReport = (parts: HandlerParts, from: DeviceId, said: PolicyReport): void => {
  const { view, dispatcher, clock, stretch } = parts
  const index = view.world.deviceIndex(from)
  if (index === undefined) return
  const fault = reportFault(said)
  if (fault !== undefined) {
    sayOf(parts, from)(`a report of ${view.nameOf(from)} is not heard: ${fault}`, 'warn')
    return
  }
  const report = believedOf(view, from, said)
  dispatcher.policy.heard(index, report, clock.now())
  stretch.heard(from, report.flow)
}

/** Each of its sources has one pace, and it has no more of them than its state says. */
const believedOf = (view: ClusterView, from: DeviceId, said: PolicyReport): Report => {
  const { paces, ...report } = reportFromWire(said, view.world)
  if (paces === undefined) return report
  const each = [...new Map(paces.map(pace => [pace.source, pace])).values()]
  return { ...report, paces: each.slice(0, view.state(from)?.sources.length ?? 0) }
}

const hearPlacement = ({ inbox, refused }: HandlerParts, from: DeviceId, message: Placement): void => {
  let placement: NumberedPlacement
  try {
    placement = placementFromWire(message)
  } catch (error) {
    refused(from, (error as Error).message)
    return
  }
  inbox.heard(from, placement)
}

/** Whom a message about a datum is for; undefined where it has no such source, or the sender was not given the datum. */
const sourceOf = (
  { source, door }: HandlerParts,
  from: DeviceId,
  message: Custody | Lost | Failure,
  what: string
): DatumTaker | undefined => {
  const found = source(message.source)
  return found !== undefined && door.lets(from, refOf(message), message.token, what) ? found : undefined
}

/** What the sources of another device have seen; said once for each, here too. */
const hearSetAside = (parts: HandlerParts, from: DeviceId, { setAside }: DeviceState): void => {
  const { view, clock, changed } = parts
  const say = sayOf(parts, from)
  if (from === view.self || view.isGuest(from) || !view.isIntroduced(from)) return
  const now = clock.now()
  const known = new Set(view.distrust.setAside().map(({ device, model }) => `${device} ${model}`))
  const list = setAside.flatMap(({ device, model, seconds: left, because, audited }) =>
    left > 0
      ? [
          {
            device: deviceId(device),
            model: modelId(model),
            until: seconds(now + left),
            because: because.slice(0, 200),
            ...(audited ? { isAudited: true as const } : {})
          }
        ]
      : []
  )
  if (!view.distrust.hear(from, list, now)) return
  for (const one of list) {
    if (known.has(`${one.device} ${one.model}`)) continue
    const isBelieved = view.distrust.isSetAside(one.device, one.model)
    const notBelieved = one.device === view.self ? 'of this device others are' : 'of one device alone that is'
    say(
      `${describeSetAside(one, view, now)}, says ${view.nameOf(from)}${isBelieved ? '' : `; ${notBelieved} not believed`}`,
      'warn',
      { kind: 'setAside', device: view.nameOf(one.device) }
    )
  }
  view.review()
  changed()
}

const onClearance = (parts: HandlerParts, from: DeviceId, { body }: Clearance): void => {
  const { view, dispatcher, network, granted } = parts
  const index = view.world.deviceIndex(from)
  if (index === undefined) return
  if (body.case === 'grant') granted(from)
  else if (body.case === 'giveBack') dispatcher.givenBack(index)
  else if (body.case === 'ask')
    dispatcher.asked(index, body.value, () =>
      network.notify(from, notice('clearance', { body: { case: 'grant', value: true } }))
    )
}

/** Nobody but its home knows whether a task is what it says. Who has one that was made up hears that at once, and lets it go. */
const onCustody = (parts: HandlerParts, from: DeviceId, message: Custody): void => {
  const taker = sourceOf(parts, from, message, 'custody')
  if (taker === undefined) {
    const { source, datum, attempt, token } = message
    parts.network.notify(from, notice('withdraw', { source, datum, attempt, token, unlessBegun: false }))
  } else taker.custody(refOf(message), from, message.done)
}

/** Only whose home the sender is, and only what came with that token: another may go by the same name. */
const onWithdraw = ({ dispatcher, network, view }: HandlerParts, from: DeviceId, message: Withdraw): void => {
  const { source, datum, attempt, unlessBegun, token } = message
  const isMeant = (task: DeviceTask): boolean =>
    task.source === source &&
    task.datum === Number(datum) &&
    task.attempt === attempt &&
    task.homeId === from &&
    isSameToken(task.token, token) &&
    (!unlessBegun || task.done === 0)
  if (dispatcher.cancel(isMeant) && unlessBegun)
    network.notify(from, notice('lost', { source, datum, attempt, device: view.self, token }))
}

const isSameToken = (a: Uint8Array = new Uint8Array(), b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

const refOf = ({ source, datum, attempt }: { source: string; datum: bigint; attempt: number }): DatumRef => ({
  source,
  datum: Number(datum),
  attempt
})

/** All together: whoever is refused may come again under another identity. */
const OUTSIDERS = 'those that are refused'

/** What a device makes this one say is on its budget. */
const sayOf =
  ({ budgets, say }: HandlerParts, from: string): HandlerParts['say'] =>
  (...line) => {
    if (budgets.takes(from, 'lines')) say(...line)
  }

const onPeer = (parts: HandlerParts, event: PeerEvent): void => {
  const { view, network } = parts
  const say = sayOf(parts, event.peer)
  if (event.kind === 'refused') {
    sayOf(parts, OUTSIDERS)(`refused ${event.peer.slice(-8)}: ${event.because}`, 'warn', { kind: 'refused' })
    return
  }
  if (event.role === 'observer') return
  if (event.kind === 'left') {
    const name = view.nameOf(event.peer)
    if (view.hasSaidGoodbye(event.peer)) say(`${name} said goodbye`, 'info', { kind: 'left', device: name })
    else say(`lost ${name}: ${event.because}`, 'warn', { kind: 'left', device: name })
    // Like one that came for one job: nothing that it said counts any more, and it is soon forgotten.
    if (event.isRemoved) view.addGuest(event.peer)
    parts.peerLost(event.peer)
    parts.inbox.left(event.peer)
  } else {
    if (event.role === 'guest') view.addGuest(event.peer)
    if (view.joined(event.peer, event.life)) parts.restarted(event.peer)
    parts.joined(event.peer)
    const placement = parts.placement()
    if (placement?.planner === view.self) network.notify(event.peer, notice('placement', placementToWire(placement)))
  }
  parts.changed()
}
