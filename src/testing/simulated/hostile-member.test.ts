import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { PEER_BUDGETS } from '../../cluster/peer-budgets.ts'
import { TERMS, termOf } from '../../core/epoch.ts'
import { type DeviceId, deviceId, type ModelId } from '../../core/ids.ts'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import type { DeviceParts } from '../../runtime/device/device-parts.ts'
import { MAY_NOT_COMMAND } from '../../runtime/device/may-command.ts'
import { notice } from '../../runtime/device/notice.ts'
import {
  CarriedModelSchema,
  type DeviceState,
  type Reply,
  ReplySchema,
  RequestSchema,
  SetAsideSchema,
  TaskSchema
} from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { Right } from '../../runtime/ports/network.ts'
import { EventClock } from './event-clock.ts'
import { createMemoryBlockStore } from './memory-block-store.ts'
import { MemoryDevice, type MemoryDeviceOptions } from './memory-device.ts'
import { MemoryEngine } from './memory-engine.ts'
import { MemoryHub } from './memory-hub.ts'
import { MemoryNetwork } from './memory-network.ts'
import type { MemorySource } from './memory-source.ts'
import { ProcessClock } from './process-clock.ts'
import { textOf, toyAnswer, toyInput, toyModel, valuesOf } from './toy-model.ts'

const net = toyModel({ name: 'net', salt: 1, work: [0.1, 0.1], weights: [1e6, 1e6], length: 8, skips: false })

const DATA = 20

const items = () =>
  Array.from({ length: DATA }, (_, datum) => ({
    type: 'int32',
    dims: [1, 8],
    data: [...valuesOf(toyInput(net, 0, datum))]
  }))

const answers = ({ outcomes }: MemorySource) =>
  outcomes
    .toSorted((a, b) => a.datum - b.datum)
    .map(outcome => {
      if (outcome.kind !== 'result') return outcome
      const { type, dims, data } = outcome.outputs.x2!
      return textOf({ name: 'x2', type, dims, data: new Uint8Array((data as Int32Array<ArrayBuffer>).buffer) })
    })

const right = items().map((_, datum) => toyAnswer(net, 0, datum))

const open = () => {
  const clock = new EventClock()
  const hub = new MemoryHub({
    ...{ clock, rng: createRng('hostile') },
    shape: () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e6) })
  })
  const start = (options: Omit<MemoryDeviceOptions, 'hub'>): MemoryDevice => {
    const device = new MemoryDevice({ hub, ...options })
    void device.start()
    return device
  }
  return { clock, hub, start }
}

type RequestInit = NonNullable<MessageInitShape<typeof RequestSchema>['body']>

const unprovenAt = ({ device }: MemoryDevice): number =>
  device.status().devices.find(({ id }) => id === device.view.self)!.counters.unproven

test('results of a member that was never given a datum are not believed, counted and said', async () => {
  const { clock, start } = open()
  const porch = start({ name: 'porch', models: [net] })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => porch.device.status().devices.length === 2 && clock.now() > 3)
  const door = porch.addSource({ name: 'door', items: items(), window: 4 })
  const { self } = porch.network
  let sent = 0
  for (let round = 0; !door.isDone; round++) {
    for (let datum = 0; datum < DATA; datum++) {
      const forged = create(TaskSchema, {
        ...{ source: `door@${self}`, datum: BigInt(datum), model: net.manifest.id, home: self, done: 2, weight: 1 },
        ...{ attempt: 1 + (round % 2), token: new Uint8Array(round % 3 === 0 ? 0 : 16) }
      })
      const tensor = { ...toyInput(net, 0, datum), name: 'x2' }
      mallory.network.sendTask(self, forged, [tensor]).answered.catch(() => {})
      sent++
    }
    const until = clock.now() + 0.2
    await clock.run(() => clock.now() > until)
  }
  expect(answers(door)).toEqual(right)
  expect(unprovenAt(porch)).toBeGreaterThan(sent / 2)
  expect(porch.said.filter(text => text.includes('mallory sent a result of datum'))).toHaveLength(1)
})

test('tasks that a member has made up are let go as soon as their home has heard of them, and what is real is not', async () => {
  const { clock, hub, start } = open()
  let runs = 0
  const porch = start({ name: 'porch', models: [net], memory: 0 })
  const engine = new MemoryEngine({
    ...{ clock: new ProcessClock(clock), speed: 1, bytesAt: place => shed.blobs.bytesAt(place) },
    runs: () => runs++
  })
  const shed: MemoryDevice = new MemoryDevice({ hub, name: 'shed', parts: { engine } })
  void shed.start()
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => shed.device.status().placement.ready && clock.now() > 3)
  const door = porch.addSource({ name: 'door', items: items(), window: 4 })
  const [home, to] = [porch.network.self, shed.network.self]
  const before = runs
  for (let datum = 0; datum < 300; datum++) {
    const about = { source: `door@${home}`, datum: BigInt(datum % 40), model: net.manifest.id, home, done: 0 }
    const forged = create(TaskSchema, { ...about, weight: 1, attempt: 1, token: new Uint8Array(16) })
    mallory.network.sendTask(to, forged, [toyInput(net, 0, datum)]).answered.catch(() => {})
  }
  await clock.run(() => door.isDone || clock.now() > 60)
  expect(answers(door)).toEqual(right)
  // Two blocks of each real one, and of the others what could be begun within a round trip.
  expect(runs - before).toBeLessThan(2 * DATA + 20)
})

type Simulated = ReturnType<ReturnType<typeof open>['start']>

/**
 * A home whose data are computed while a member that was given none speaks of each of them, five times a second.
 * @returns the home when all results are in its sink, the right ones
 */
const spokenOf = async (
  speak: (
    mallory: Simulated,
    about: { readonly source: string; readonly datum: bigint; readonly home: DeviceId }
  ) => void
): Promise<Simulated> => {
  const { clock, start } = open()
  const porch = start({ name: 'porch', models: [net] })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => porch.device.status().devices.length === 2 && clock.now() > 3)
  const door = porch.addSource({ name: 'door', items: items(), window: 4 })
  const { self: home } = porch.network
  while (!door.isDone) {
    for (let datum = 0; datum < DATA; datum++) speak(mallory, { source: `door@${home}`, datum: BigInt(datum), home })
    const until = clock.now() + 0.2
    await clock.run(() => clock.now() > until)
  }
  expect(answers(door)).toEqual(right)
  expect(porch.device.ownSources()[0]).toMatchObject({ resent: 0, failed: 0, lost: 0 })
  return porch
}

test('of a datum that it was not given, a member can say neither that it failed nor that it is lost nor that it has it', async () => {
  const porch = await spokenOf(({ network }, { home, ...datum }) => {
    const about = { ...datum, attempt: 1, token: new Uint8Array(16) }
    network.notify(home, notice('failure', { ...about, device: home, block: 0, because: 'no' }))
    network.notify(home, notice('lost', { ...about, device: network.self }))
    network.notify(home, notice('custody', { ...about, done: 1 }))
  })
  expect(porch.device.status().setAside).toEqual([])
})

test('results that are none have no datum sent out again, of whoever was not given it', async () => {
  const porch = await spokenOf(({ network }, about) => {
    const claim = { model: net.manifest.id, weight: 1, done: 2, attempt: 1, token: new Uint8Array(16) }
    network.sendTask(about.home, create(TaskSchema, { ...about, ...claim }), []).answered.catch(() => {})
  })
  expect(unprovenAt(porch)).toBeGreaterThan(DATA)
})

test.each(['no tensor', 'more blocks done than there are', 'a weight that is none'])(
  'what comes back is no result (%s): its datum goes out again at once, and who sent it is set aside',
  async kind => {
    const { clock, start } = open()
    const home = start({ name: 'home', models: [net], memory: 0 })
    start({ name: 'honest' })
    const mallory = start({ name: 'mallory' })
    const { network } = mallory
    const sendTask = network.sendTask.bind(network)
    let spoilt = 0
    network.sendTask = (to, task, tensors, report) => {
      if (to !== home.network.self) return sendTask(to, task, tensors, report)
      spoilt++
      const done = kind === 'more blocks done than there are' ? 2 ** 31 : task.done
      const weight = kind === 'a weight that is none' ? Number.NaN : task.weight
      return sendTask(to, { ...task, done, weight }, kind === 'no tensor' ? [] : tensors, report)
    }
    const there = () => home.device.status().devices.length === 3 && home.device.status().placement.ready
    await clock.run(() => there() && clock.now() > 3)
    const begun = clock.now()
    const door = home.addSource({ name: 'door', items: items(), window: 4 })
    const aside = new Set<string>()
    await clock.run(() => {
      for (const { device } of home.device.status().setAside) aside.add(device)
      return door.isDone || clock.now() > 100
    })
    expect(answers(door)).toEqual(right)
    expect([...aside]).toEqual([network.self])
    expect(spoilt).toBeGreaterThan(2)
    // What is merely silent is sent again after ten seconds.
    expect(clock.now() - begun).toBeLessThan(10)
  }
)

test('who is given data and says that another device fails them gives up no datum, and does not set that one aside', async () => {
  const { clock, start } = open()
  const home = start({ name: 'home', models: [net], memory: 0 })
  const [victim] = ['alpha', 'beta', 'gamma'].map(name => start({ name }).network.self)
  const mallory = start({ name: 'mallory' })
  const there = () => home.device.status().devices.length === 5 && home.device.status().placement.ready
  await clock.run(() => there() && clock.now() > 3)
  let told = 0
  const { network } = mallory
  const notify = network.notify.bind(network)
  network.notify = (to, message) => {
    notify(to, message)
    if (message.body.case !== 'custody') return
    const { source, datum, attempt, token } = message.body.value
    told++
    notify(
      to,
      notice('failure', { source, datum, attempt, token, device: victim!, block: 0, because: 'does not compute' })
    )
  }
  const door = home.addSource({ name: 'door', items: items(), window: 4 })
  const aside = new Set<string>()
  await clock.run(() => {
    for (const { device } of home.device.status().setAside) aside.add(device)
    return door.isDone || clock.now() > 100
  })
  expect(told).toBeGreaterThan(3)
  expect(answers(door)).toEqual(right)
  expect([...aside]).toEqual([])
})

test.each(['guest', 'observer', 'device'] as const)(
  'a %s without a right ends no device, at whomever it asks',
  async role => {
    const { clock, hub, start } = open()
    const left: string[] = []
    const leaves = (name: string) => ({ parts: { leave: () => void left.push(name) } })
    const alpha = start({ name: 'alpha', models: [net], ...leaves('alpha') })
    const beta = start({ name: 'beta', ...leaves('beta') })
    const asks = async (right: Right, self: string, to: MemoryDevice, body: RequestInit) => {
      const network = new MemoryNetwork({
        ...{ hub, self: deviceId(self), life: 7n, process: new ProcessClock(clock), role, right },
        ...{ blobs: createMemoryBlockStore(new Map()), failed: () => {} }
      })
      const peers = new Set<string>()
      await network.start({
        onTask: () => ({ kind: 'refused', because: 'no' }),
        onRequest: async () => create(ReplySchema, {}),
        onNotice: () => {},
        onState: () => {},
        onPeer: ({ kind, peer }) => void (kind === 'joined' && peers.add(peer))
      })
      await clock.run(() => peers.has(to.network.self) && clock.now() > 3)
      let reply: Reply | undefined
      void network.request(to.network.self, create(RequestSchema, { body })).then(answer => {
        reply = answer
      })
      const late = clock.now() + 8
      await clock.run(() => reply !== undefined || clock.now() > late)
      return reply?.error
    }
    const remove = { case: 'remove' as const, value: { name: 'net' } }
    const bodies: readonly RequestInit[] = [
      { case: 'drain', value: {} },
      { case: 'drain', value: { device: beta.network.self } },
      { case: 'models', value: { body: remove } },
      { case: 'reload', value: {} }
    ]
    for (const [n, body] of bodies.entries()) expect(await asks('none', `m${n}`, alpha, body)).toBe(MAY_NOT_COMMAND)
    expect(await asks('here', 'm4', alpha, bodies[1]!)).toBe(MAY_NOT_COMMAND)
    expect(await asks('none', 'm5', alpha, { case: 'models', value: { body: { case: 'list', value: {} } } })).toBe('')
    expect([left, alpha.device.view.manifests().length]).toEqual([[], 1])
    expect(await asks('holder', 'm6', alpha, bodies[1]!)).toBe('')
    await clock.run(() => left.length > 0 || clock.now() > 60)
    expect(left).toEqual(['beta'])
    expect(await asks('here', 'm7', alpha, bodies[0]!)).toBe('')
    await clock.run(() => left.length > 1 || clock.now() > 60)
    expect(left).toEqual(['beta', 'alpha'])
  }
)

/** Terms that devices are in. */
const termsOf = (...devices: readonly MemoryDevice[]): number[] =>
  devices.map(({ device }) => termOf(device.status().placement.epoch))

test('placements of a member that nobody elected are followed by nobody, nor by who comes later; planning goes on', async () => {
  const { clock, start } = open()
  const alpha = start({ name: 'alpha', models: [net], memory: 1e6 })
  const beta = start({ name: 'beta', memory: 1e6 })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => beta.device.status().placement.ready && clock.now() > 3)
  const before = termsOf(alpha, beta)
  for (const [term, number] of [
    [2 ** 32 - 1, 999_999],
    [before[0]! + 1, 1],
    [before[0]!, 999_999]
  ] as const)
    for (const planner of ['mallory', 'alpha'])
      for (const { network } of [alpha, beta])
        mallory.network.notify(network.self, notice('placement', { term, number, planner, models: [] }))
  await clock.run(() => clock.now() > 5)
  expect(termsOf(alpha, beta)).toEqual(before)
  expect(beta.said.filter(text => text.startsWith('a placement of mallory is not followed'))).toHaveLength(1)
  mallory.kill()
  const gamma = start({ name: 'gamma', memory: 2e6 })
  await clock.run(() => gamma.device.status().placement.models.net?.gamma?.length === 2 || clock.now() > 15)
  expect(clock.now()).toBeLessThan(15)
  expect(gamma.device.status().placement).toEqual(alpha.device.status().placement)
  const door = alpha.addSource({ name: 'door', items: items(), window: 4 })
  await clock.run(() => door.isDone || clock.now() > 30)
  expect(answers(door)).toEqual(right)
})

test('what a member claims to follow moves no term, and its leaving leaves nothing behind', async () => {
  const { clock, start } = open()
  const alpha = start({ name: 'alpha', models: [net] })
  const beta = start({ name: 'beta' })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => beta.device.status().placement.ready && clock.now() > 3)
  const before = termsOf(alpha, beta)
  for (let sequence = 1000n; clock.now() < 20; sequence++) {
    const state = mallory.device.view.state(mallory.network.self)!
    mallory.network.publishState({ ...state, sequence, elects: 'mallory', follows: 'mallory', followsTerm: TERMS - 1 })
    const until = clock.now() + 0.5
    await clock.run(() => clock.now() > until)
  }
  expect(termsOf(alpha, beta)).toEqual(before)
  mallory.kill()
  const gamma = start({ name: 'gamma' })
  await clock.run(() => termsOf(gamma)[0] !== 0 || clock.now() > 30)
  expect(termsOf(alpha, beta, gamma)).toEqual([before[0], before[0], before[0]])
})

/** What a device with the smallest id may do where it is elected. */
const PLANNERS: readonly (readonly [string, NonNullable<DeviceParts['place']>])[] = [
  ['fails', () => Promise.reject(new Error('no'))],
  ['places all on devices that are not there', () => onDevice('nobody', [0, 1])],
  ['places blocks that there are not', () => onDevice('beta', [0, 1, 2, 4_000_000_000])],
  ['places a block twice', () => onDevice('beta', [0, 0, 1])],
  ['places more than fits', () => onDevice('gamma', [0, 1])],
  ['leaves out who elected it', () => onDevice('beta', [0, 1])]
]
const onDevice = (device: string, blocks: readonly number[]) => ({
  placement: new Map([[deviceId(device), new Map<ModelId, readonly number[]>([[net.manifest.id, blocks]])]]),
  unplaced: []
})

const notEver: NonNullable<DeviceParts['place']> = () => new Promise(() => {})

test.each([
  ['says that it is planning', () => {}],
  ['says nothing', (device: MemoryDevice) => keepSilent(device)]
])(
  'an elected device that never places anything, and %s, is passed over, and results come within 30 s',
  async (_, lie) => {
    const { clock, start } = open()
    const aaron = start({ name: 'aaron', memory: 0, parts: { place: notEver } })
    keepPlacements(aaron)
    lie(aaron)
    start({ name: 'beta', memory: 2e6 })
    const gamma = start({ name: 'gamma', models: [net], memory: 1e6 })
    await clock.run(() => clock.now() > 2)
    const door = gamma.addSource({ name: 'door', items: items(), window: 4 })
    await clock.run(() => door.isDone || clock.now() > 30)
    expect(answers(door)).toEqual(right)
    expect(gamma.said).toContain('aaron is to plan and does not: others do, for 300 s')
  }
)

test('a planner whose plans take for ever places simply meanwhile, and stays', async () => {
  const { clock, start } = open()
  const aaron = start({ name: 'aaron', memory: 0, parts: { place: notEver } })
  start({ name: 'beta', memory: 2e6 })
  const gamma = start({ name: 'gamma', models: [net], memory: 1e6 })
  await clock.run(() => clock.now() > 2)
  const door = gamma.addSource({ name: 'door', items: items(), window: 4 })
  await clock.run(() => door.isDone || clock.now() > 15)
  expect(answers(door)).toEqual(right)
  await clock.run(() => clock.now() > 60)
  expect(gamma.device.status().planner).toBe(aaron.network.self)
})

/** What it tells of itself does not say that it makes a plan. */
const keepSilent = ({ network }: MemoryDevice): void => {
  const publish = network.publishState.bind(network)
  const notify = network.notify.bind(network)
  const withoutPlan = ({ planningFor: _, ...state }: DeviceState): DeviceState => state
  network.publishState = state => publish(withoutPlan(state))
  network.notify = (to, { body, ...rest }) =>
    notify(to, { ...rest, body: body.case === 'state' ? { case: 'state', value: withoutPlan(body.value) } : body })
}

/** What it has planned it keeps to itself. */
const keepPlacements = ({ network }: MemoryDevice): void => {
  const notify = network.notify.bind(network)
  network.notify = (to, said) => (said.body.case === 'placement' ? undefined : notify(to, said))
}

describe('an elected device that plans nothing that can be followed is passed over, and its cluster computes', () => {
  test.each(PLANNERS)('%s', async (_, place) => {
    const { clock, start } = open()
    const aaron = start({ name: 'aaron', memory: 0, parts: { place } })
    const beta = start({ name: 'beta', memory: 2e6 })
    const gamma = start({ name: 'gamma', models: [net], memory: 1e6 })
    await clock.run(() => clock.now() > 2)
    const door = gamma.addSource({ name: 'door', items: items(), window: 4 })
    const isOver = (): boolean => door.isDone && gamma.device.status().planner === 'beta'
    await clock.run(() => isOver() || clock.now() > 30)
    expect(answers(door)).toEqual(right)
    expect([beta, gamma].map(({ device }) => device.status().planner)).toEqual(['beta', 'beta'])
    expect(gamma.said).toContain('aaron is to plan and does not: others do, for 300 s')
    expect(aaron.device.status().answeredBy).toBe('aaron')
  })
})

const onItself = {
  ...onDevice('aaron', [0, 1]),
  placement: new Map([
    ...onDevice('aaron', [0, 1]).placement,
    ...['beta', 'delta', 'gamma'].map(name => [deviceId(name), new Map<ModelId, readonly number[]>()] as const)
  ])
}

test('an elected device that has all data computed by itself alone, and returns none, is passed over, and carries no blocks', async () => {
  const { clock, start } = open()
  const aaron = start({
    name: 'aaron',
    memory: 2e6,
    parts: { place: async () => onItself }
  })
  swallowing(aaron)
  for (const name of ['beta', 'delta']) start({ name, memory: 2e6 })
  const gamma = start({ name: 'gamma', models: [net], memory: 2e6 })
  await clock.run(() => clock.now() > 2)
  const door = gamma.addSource({ name: 'door', items: items(), window: 4 })
  await clock.run(() => door.isDone || clock.now() > 60)
  expect(answers(door)).toEqual(right)
  expect(gamma.device.status().planner).toBe('beta')
  expect(gamma.said).toContain('aaron is to plan and does not: others do, for 300 s')
})

/** It takes all, and computes nothing. */
const swallowing = ({ network }: MemoryDevice): void => {
  const start = network.start.bind(network)
  network.start = handlers => start({ ...handlers, onTask: () => ({ kind: 'accepted' }) })
}

test('names with line breaks and escape sequences reach neither log nor status', async () => {
  const { clock, start } = open()
  const porch = start({ name: 'porch', models: [net] })
  const mallory = start({ name: 'mallory', memory: 0 })
  await clock.run(() => porch.device.status().devices.length === 2 && clock.now() > 3)
  const evil = 'shed\u001b[2J\n12:00 error porch: all is lost\u2028'
  const state = mallory.device.view.state(mallory.network.self)!
  const status = JSON.stringify({ ...JSON.parse(state.status), name: evil, troubles: [evil], sources: [] })
  const setAside = [create(SetAsideSchema, { device: evil, model: evil, seconds: 60, because: evil })]
  mallory.network.publishState({ ...state, sequence: 1000n, name: evil, status, setAside })
  await clock.run(() => clock.now() > 4)
  mallory.kill()
  await clock.run(() => clock.now() > 20)
  const shown = JSON.stringify(porch.device.status())
  const plain = 'shed [2J 12:00 error porch: all is lost'
  expect(porch.said).toContain(`lost ${plain}: its connection closed`)
  expect(porch.said.filter(text => /[\p{Cc}\u2028]/u.test(text))).toEqual([])
  expect(shown).not.toMatch(/\\u001b|\\n|\u2028/)
})

describe('a member that speaks of more than it could ever have', () => {
  test('brings a cluster neither ten models of six hundred blocks nor the planning of them', async () => {
    const { clock, start } = open()
    const planned: number[] = []
    const place: NonNullable<DeviceParts['place']> = async problem => {
      planned.push(problem.models.reduce((sum, { blocks }) => sum + blocks.length, 0))
      return proportionalPlacement(problem)
    }
    const alpha = start({ name: 'alpha', models: [net], parts: { place } })
    const many = Array.from({ length: 10 }, (_, salt) => {
      const [work, weights] = [new Array(600).fill(1e-4), new Array(600).fill(1e6)]
      return toyModel({ name: `huge${salt}`, salt, work, weights, length: 4, skips: false })
    })
    const mallory = start({ name: 'mallory', models: many, memory: 0 })
    await clock.run(() => clock.now() > 4)
    const most = PEER_BUDGETS.modelBlocks.burst + net.blocks.length + 10
    const known = alpha.device.view.manifests().reduce((sum, { blocks }) => sum + blocks.length, 0)
    expect(known).toBeGreaterThan(600)
    expect(known).toBeLessThanOrEqual(most)
    expect(Math.max(...planned)).toBeLessThanOrEqual(most)
    expect(alpha.said.filter(text => text.startsWith('mallory: more than 2048 blocks of models'))).toHaveLength(1)
    mallory.kill()
  })

  test('is not heard, and fills no log', async () => {
    const { clock, start } = open()
    const alpha = start({ name: 'alpha', models: [net] })
    const mallory = start({ name: 'mallory', memory: 0 })
    await clock.run(() => alpha.device.status().devices.length === 2 && clock.now() > 3)
    const own = mallory.device.view.state(mallory.network.self)!
    const claims = Array.from({ length: 8000 }, (_, n) => ({ model: `m${n}`, name: 'net', owner: true }))
    const blamed = Array.from({ length: 900 }, (_, n) => ({ device: `d${n}`, model: 'm', seconds: 9 }))
    const lies: readonly Partial<DeviceState>[] = [
      { models: claims.map(claim => create(CarriedModelSchema, claim)) },
      { name: 'mallory'.repeat(50_000) },
      { setAside: blamed.map(one => create(SetAsideSchema, one)) }
    ]
    const before = alpha.said.length
    for (let sequence = 1000n; clock.now() < 13; sequence++) {
      mallory.network.publishState({ ...own, ...lies[Number(sequence % 3n)], sequence })
      const until = clock.now() + 0.2
      await clock.run(() => clock.now() > until)
    }
    const { burst, perSecond } = PEER_BUDGETS.lines
    const said = alpha.said.slice(before)
    expect(said.length).toBeLessThan(burst + 20 * perSecond + 10)
    expect(said.join('').length).toBeLessThan(10_000)
    expect(said.some(text => text.includes('it has 8000 models, at most 1024 are allowed'))).toBe(true)
    expect(alpha.device.status().devices.map(({ name }) => name)).toEqual(['alpha', 'mallory'])
    const door = alpha.addSource({ name: 'door', items: items(), window: 4 })
    await clock.run(() => door.isDone || clock.now() > 40)
    expect(answers(door)).toEqual(right)
  })
})
