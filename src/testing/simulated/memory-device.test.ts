import { expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import type { Place } from '../../planner/placement.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { LanesEngine } from '../../runtime/cluster/lanes-engine.ts'
import { SplitEngine } from '../../runtime/cluster/split-engine.ts'
import { planningWords } from '../../runtime/device/planning-words.ts'
import type { Engine } from '../../runtime/ports/engine.ts'
import { createLocal } from '../../scheduler/local.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice, type MemoryDeviceOptions } from './memory-device.ts'
import { MemoryEngine } from './memory-engine.ts'
import { MemoryHub } from './memory-hub.ts'
import { memoryObserver } from './memory-observer.ts'
import type { MemorySource } from './memory-source.ts'
import { ProcessClock } from './process-clock.ts'
import { simulateDevices } from './simulate-devices.ts'
import { type ToyModel, textOf, toyAnswer, toyInput, toyModel, valuesOf } from './toy-model.ts'

const net = toyModel({
  name: 'net',
  salt: 1,
  work: [0.05, 0.05, 0.05],
  weights: [1e6, 1e6, 1e6],
  length: 8,
  skips: true
})

const open = () => {
  const clock = new EventClock()
  const wire = { latency: seconds(0.002), rate: bytesPerSecond(1e6) }
  const hub = new MemoryHub({ clock, rng: createRng('memory'), shape: () => wire })
  const start = (options: Omit<MemoryDeviceOptions, 'hub'>) => {
    const device = new MemoryDevice({ hub, ...options })
    void device.start()
    return device
  }
  return { clock, hub, start }
}

/** What each datum became, in their order, as `toyAnswer` has it. */
const answersOf = ({ outcomes }: MemorySource, { manifest }: ToyModel) =>
  outcomes
    .toSorted((a, b) => a.datum - b.datum)
    .map(outcome => {
      if (outcome.kind !== 'result') return outcome
      const [name] = manifest.outputs as [string]
      const { type, dims, data } = outcome.outputs[name]!
      return textOf({ name, type, dims, data: new Uint8Array((data as Int32Array<ArrayBuffer>).buffer) })
    })

const watched = () => {
  const observer = memoryObserver()
  return { observer, parts: { observe: observer } }
}

const items = (count: number) =>
  Array.from({ length: count }, (_, datum) => ({
    type: 'int32',
    dims: [1, 8],
    data: [...valuesOf(toyInput(net, 0, datum))]
  }))

test('devices of a program compute what one would, through a death and a cut wire', async () => {
  const { clock, hub, start } = open()
  const porch = start({ name: 'porch', models: [net], speed: 0.5 })
  const [shed, attic] = ['shed', 'attic'].map(name => start({ name, speed: 2 })) as [MemoryDevice, MemoryDevice]
  await clock.run(() => porch.device.status().devices.length === 3 && clock.now() > 3)
  const door = porch.addSource({ name: 'door', items: items(60), window: 8 })
  await clock.run(() => door.outcomes.length === 20)
  shed.kill()
  hub.cut(porch.network.self, attic.network.self)
  await clock.run(() => door.outcomes.length === 30)
  hub.heal(porch.network.self, attic.network.self)
  await clock.run(() => door.isDone || clock.now() > 300)
  expect(answersOf(door, net)).toEqual(items(60).map((_, datum) => toyAnswer(net, 0, datum)))
  expect(attic.device.status().devices.find(({ name }) => name === 'attic')!.tasks).toBeGreaterThan(0)
})

test('a device that chooses its lanes has more of them while it is saturated, and the others hear of it', async () => {
  const { clock, start } = open()
  const porch = start({ name: 'porch', models: [net], speed: 0.01 })
  // On two threads a block is half as long again as fast; two lanes serve two in the time of one.
  const lane = (threads: number): Engine =>
    new MemoryEngine({
      ...{ clock: new ProcessClock(clock), speed: threads === 2 ? 1.5 : 1 },
      bytesAt: place => shed.blobs.bytesAt(place)
    })
  const engine = new SplitEngine({
    splits: [
      { lanes: 1, threads: 2 },
      { lanes: 2, threads: 1 }
    ],
    open: ({ lanes, threads }) => new LanesEngine(Array.from({ length: lanes }, () => lane(threads))),
    say: () => {}
  })
  const shed = start({ name: 'shed', parts: { engine } })
  const seen = () => porch.device.status().devices.find(({ name }) => name === 'shed')
  await clock.run(() => seen()?.split?.because.includes('% used; ') === true || clock.now() > 60)
  expect(seen()).toMatchObject({ lanes: 1, split: { threads: 2 } })
  const door = porch.addSource({ name: 'door', items: items(600), window: 12 })
  await clock.run(() => seen()?.lanes === 2 || clock.now() > 120)
  expect(seen()).toMatchObject({ lanes: 2, split: { threads: 1 } })
  const at = porch.device.view.world.deviceIndex(shed.network.self)!
  expect(porch.device.view.world.devices[at]!.lanes).toBe(2)
  await clock.run(() => door.isDone || clock.now() > 600)
  expect(answersOf(door, net)).toEqual(items(600).map((_, datum) => toyAnswer(net, 0, datum)))
  await clock.run(() => seen()?.lanes === 1 || clock.now() > 700)
  expect(seen()).toMatchObject({ lanes: 1, split: { threads: 2 } })
})

test.each(['confluence', 'ms-mdi', 'ddi', 'ar-mdi'] as const)(
  'data that leave a model early go home from wherever they are, under %s, and run no block that is ahead',
  async policy => {
    const exits = toyModel({
      ...{ name: 'exits', salt: 3, work: [0.05, 0.05, 0.05], weights: [1e6, 1e6, 1e6], length: 8, skips: true },
      exit: { after: 1, every: 3 }
    })
    const { clock, start } = open()
    const { observer, parts } = watched()
    const porch = start({ name: 'porch', models: [exits], speed: 0.25, policy, parts })
    start({ name: 'shed', speed: 2, policy, parts })
    await clock.run(() => clock.now() > 3)
    const data = Array.from({ length: 30 }, (_, datum) => toyInput(exits, 0, datum))
    const door = porch.addSource({
      ...{ name: 'door', window: 6 },
      items: data.map(tensor => ({ type: 'int32', dims: tensor.dims, data: [...valuesOf(tensor)] }))
    })
    await clock.run(() => door.isDone || clock.now() > 120)
    expect(answersOf(door, exits)).toEqual(data.map((_, datum) => toyAnswer(exits, 0, datum)))
    const ran = (block: number) =>
      new Set(observer.told.flatMap(of => (of.did === 'ran' && of.block === block ? [of.datum] : [])))
    expect([ran(0).size, ran(1).size]).toEqual([30, 30])
    expect([...ran(2)].filter(datum => datum % 3 === 0)).toEqual([])
    expect(ran(2).size).toBe(20)
  }
)

test('a policy and parts of the program are used, and what is no item fails alone', async () => {
  const { clock, start } = open()
  const told: string[] = []
  const porch = start({
    name: 'porch',
    models: [net],
    policy: host => ({ ...createLocal(host), name: 'mine' }),
    parts: { event: ({ event }) => void told.push(event) }
  })
  const door = porch.addSource({ name: 'door', model: 'net', every: 1, items: [...items(2), null as never] })
  await clock.run(() => door.isDone || clock.now() > 60)
  expect(door.outcomes.map(({ kind }) => kind)).toEqual(['result', 'result', 'failed'])
  expect([porch.device.status().devices[0]!.policy, told]).toEqual(['mine', ['ready']])
  expect(clock.now()).toBeGreaterThan(2)
})

test.each<[string, () => unknown, string]>([
  ['a hub', () => new MemoryDevice({ name: 'a' } as never), 'hub'],
  ['its name', () => open().start({ name: '../a' }), 'name'],
  ['its speed', () => open().start({ name: 'a', speed: 0 }), 'speed'],
  ['an option', () => open().start({ name: 'a', sped: 1 } as never), 'sped'],
  ['models', () => open().start({ name: 'a', models: [{} as never] }), 'models.0'],
  [
    'items',
    () =>
      open()
        .start({ name: 'a' })
        .addSource({ name: 's', items: 3 as never }),
    'items'
  ],
  ['blocks', () => toyModel({ name: 'a', salt: 1, work: [1, 2], weights: [1], length: 4, skips: false }), 'weights'],
  ['its length', () => toyModel({ name: 'a', salt: 1, work: [1], weights: [1], length: 0, skips: false }), 'length']
])('a device in memory is refused for %s in words', (_, make, option) => {
  expect(make).toThrow(expect.objectContaining({ code: 'badOption', facts: { option } }))
})

test.each<[unknown, unknown, RegExp]>([
  ['one', {}, /simulateDevices: seed: must be a whole number, not "one"/],
  [-1, {}, /seed: must be at least 0/],
  [1, null, /options must be an object of seed, faults, planned, not null/],
  [1, { fault: [] }, /unknown key "fault", did you mean "faults"/],
  [
    1,
    { faults: [{ at: 1, kind: 'crsh', device: 0, lasts: 1, wipes: false }] },
    /faults\[0\].*"crsh" is no kind of fault, did you mean "crash"/
  ],
  [1, { faults: [{ at: 1, kind: 'gone' }] }, /faults\[0\].device is missing/],
  [1, { faults: [{ at: 1, kind: 'gone', device: 99 }] }, /there is no device 99: this seed's are numbered 0 to/],
  [1, { faults: [{ at: 1, kind: 'itemsAway', source: 99, lasts: 1 }] }, /there is no source 99/],
  [1, { planned: 3 }, /planned: must be a function/]
])('a simulation of %j with %j is refused in words', async (seed, options, words) => {
  const refused = simulateDevices(seed as number, options as never)
  await expect(refused).rejects.toMatchObject({ code: 'badOption', message: words })
})

test('a model whose owner came back without it is known to whoever plans: nobody is passed over for it', async () => {
  const { clock, start } = open()
  const before = start({ name: 'attic', models: [net] })
  const shed = start({ name: 'shed', memory: 0 })
  await clock.run(() => shed.device.view.manifestNamed('net') !== undefined && clock.now() > 5)
  before.kill()
  await clock.run(() => clock.now() > 6)
  const attic = start({ name: 'attic' })
  await clock.run(() => clock.now() > 120)
  const passedOver = [...attic.said, ...shed.said].filter(text => text.includes('is to plan and does not'))
  expect([attic.device.view.manifestNamed('net')?.id, passedOver]).toEqual([net.manifest.id, []])
})

test('a planner that takes half a minute says so meanwhile, and is not passed over', async () => {
  const { clock, start } = open()
  const place: Place = async problem => {
    await new ProcessClock(clock).sleep(seconds(30))
    return proportionalPlacement(problem)
  }
  const devices = [start({ name: 'attic', models: [net], parts: { place } }), start({ name: 'shed', parts: { place } })]
  const planning = () => devices.map(({ device }) => planningWords(device.status().devices).length)
  await clock.run(() => clock.now() > 20)
  expect(planning()).toEqual([1, 1])
  await clock.run(() => devices.every(({ device }) => device.status().placement.ready) || clock.now() > 90)
  expect(clock.now()).toBeLessThan(60)
  await clock.run(() => planning().every(count => count === 0) || clock.now() > 90)
  expect(planning()).toEqual([0, 0])
  expect(devices.flatMap(({ said }) => said).filter(text => text.includes('is to plan and does not'))).toEqual([])
})

test('each device tells of the placements that it follows, and whose they are', async () => {
  const { clock, start } = open()
  const devices = [start({ name: 'attic', models: [net] }), start({ name: 'shed' })]
  await clock.run(() => clock.now() > 6)
  const said = devices.map(device => device.said.filter(text => text.startsWith('placement ')))
  const planner = said.findIndex(texts => !texts.some(text => text.includes(' of ')))
  const name = ['attic', 'shed'][planner]!
  expect(said[planner]!.at(-1)).toMatch(/^placement \d+\.\d+ for 2 devices$/)
  expect(said[1 - planner]!.at(-1)).toBe(said[planner]!.at(-1)!.replace(' for', ` of ${name} for`))
})

test('the status says of each block how many data are run at once, where that gains', async () => {
  const { clock, start } = open()
  const many = toyModel({
    name: 'many',
    salt: 2,
    work: [0.05, 0.05],
    weights: [1e6, 1e6],
    length: 8,
    skips: false,
    batches: true
  })
  const porch = start({ name: 'porch', models: [net, many] })
  const models = () => porch.device.status().devices[0]!.models
  const gains = () => models()['many']?.batches?.filter(most => most > 1) ?? []
  await clock.run(() => gains().length === 2 || clock.now() > 60)
  expect(gains()).toHaveLength(2)
  expect(models()['net']).toEqual({ blocks: [0, 1, 2], residentBytes: 3e6 })
})
