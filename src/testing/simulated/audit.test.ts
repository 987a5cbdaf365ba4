import { create } from '@bufbuild/protobuf'
import { describe, expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { SetAsideSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import type { Engine } from '../../runtime/ports/engine.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice, type MemoryDeviceOptions } from './memory-device.ts'
import { MemoryEngine } from './memory-engine.ts'
import { MemoryHub } from './memory-hub.ts'
import type { MemorySource } from './memory-source.ts'
import { ProcessClock } from './process-clock.ts'
import { type ToyBlock, textOf, toyAnswer, toyInput, toyModel, valuesOf } from './toy-model.ts'

const net = toyModel({
  ...{ name: 'net', salt: 1, work: [0.05, 0.05, 0.05], weights: [1e6, 1e6, 1e6], length: 8, skips: true }
})

const itemsOf = (count: number) =>
  Array.from({ length: count }, (_, datum) => ({
    type: 'int32',
    dims: [1, 8],
    data: [...valuesOf(toyInput(net, 0, datum))]
  }))

const answersOf = ({ outcomes }: MemorySource) =>
  outcomes
    .toSorted((a, b) => a.datum - b.datum)
    .map(outcome => {
      if (outcome.kind !== 'result') return outcome.kind
      const { type, dims, data } = outcome.outputs.x3!
      return textOf({ name: 'x3', type, dims, data: new Uint8Array((data as Int32Array<ArrayBuffer>).buffer) })
    })

/** How many of its results are not what the model makes of its data. */
const wrongOf = (source: MemorySource): number =>
  answersOf(source).filter((text, datum) => text !== toyAnswer(net, 0, datum)).length

/** What a device makes of a block: the truth, or something like it. */
type Lie = (values: Int32Array, block: ToyBlock) => void
const noise: Lie = values => {
  values[3]! += 1
}

const open = () => {
  const clock = new EventClock()
  const hub = new MemoryHub({
    ...{ clock, rng: createRng('audited') },
    shape: () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e6) })
  })
  const ran = new Map<string, number>()
  const start = ({ lie, ...options }: Omit<MemoryDeviceOptions, 'hub'> & { readonly lie?: Lie }): MemoryDevice => {
    const { name, speed = 1 } = options
    const inner = new MemoryEngine({
      ...{ clock: new ProcessClock(clock), speed, bytesAt: place => device.blobs.bytesAt(place) },
      runs: () => ran.set(name, (ran.get(name) ?? 0) + 1)
    })
    const run: Engine['run'] = async (hash, inputs) => {
      const made = await inner.run(hash, inputs)
      const block = net.blocks[net.manifest.blocks.findIndex(({ sha256 }) => sha256 === hash)]!
      for (const output of made.outputs) lie?.(new Int32Array(output.data.buffer), block)
      return made
    }
    const engine: Engine = new Proxy(inner, {
      get: (target, key) => {
        if (key === 'run') return run
        if (key === 'visit') return undefined // each block by itself, so that all pass by here
        const value = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
    const device: MemoryDevice = new MemoryDevice({
      ...{ hub, ...options },
      parts: { ...options.parts, engine }
    })
    void device.start()
    return device
  }
  return { clock, start, ran }
}

const auditsOf = ({ device }: MemoryDevice) => device.status().audits
const outcomesOf = ({ device }: MemoryDevice) =>
  device.status().devices.find(({ id }) => id === device.view.self)!.audits

/** A home without blocks of its own, and devices that have all of them, or one each. */
const cluster = async (
  audit: number,
  names: readonly string[],
  { lie = noise, memory, homes = 0 }: { readonly lie?: Lie; readonly memory?: number; readonly homes?: number } = {}
) => {
  const { clock, start, ran } = open()
  const limit = memory === undefined ? {} : { memory }
  const home = start({ name: 'home', models: [net], memory: homes, parts: { audit } })
  const others = names.map(name => start({ name, ...limit, ...(name === 'mallory' ? { lie } : {}) }))
  const isThere = ({ device }: MemoryDevice): boolean =>
    device.status().placement.ready && device.status().devices.length === 1 + names.length
  await clock.run(() => clock.now() > 3 && [home, ...others].every(isThere))
  const send = async (count: number) => {
    const door = home.addSource({ name: 'door', items: itemsOf(count), window: 8 })
    await clock.run(() => door.isDone || clock.now() > 200)
    return door
  }
  return { home, others, mallory: others[names.indexOf('mallory')]!, send, clock, ran }
}

const HONEST = ['alpha', 'beta', 'gamma']
/** Each has room for one block of three, and gets the next in their order; mallory is the last. */
const pipeline = (lies: number): readonly string[] => [...'abcdefghij'.slice(0, 8 + ((lies + 1) % 3)), 'mallory']

describe('a source whose data are audited', () => {
  test('all of them has no wrong result, and who makes them is named; one device alone is not believed', async () => {
    const { home, others, send } = await cluster(1, [...HONEST, 'mallory'])
    expect(wrongOf(await send(60))).toBe(0)
    const { done, deviations, setAside } = auditsOf(home)
    expect(done).toBeGreaterThanOrEqual(60)
    expect(deviations).toBeGreaterThan(0)
    expect(setAside).toMatchObject([{ device: 'mallory', model: 'net', by: 'home' }])
    expect(home.said.filter(text => text.includes('set aside'))).toEqual([
      expect.stringMatching(
        /^mallory \(mallory\) is set aside for 60 s: it computes net otherwise than others \(what it made of/
      )
    ])
    expect(home.said).toContainEqual(
      expect.stringMatching(/^of the last \d+ results here those that mallory had a part/)
    )
    expect(home.device.status().setAside).toMatchObject([{ device: 'mallory', model: 'net' }])
    const [alpha] = others
    expect(auditsOf(alpha!).setAside).toMatchObject([{ device: 'mallory', by: 'home' }])
    expect(alpha!.device.status().setAside).toEqual([])
    expect(alpha!.said).toContainEqual(expect.stringMatching(/of one device alone that is not believed$/))
  })

  test('a share of them has fewer wrong results the larger it is', async () => {
    const wrong: number[] = []
    for (const audit of [0, 0.1, 0.5]) {
      const { home, send } = await cluster(audit, [...HONEST, 'mallory'])
      wrong.push(wrongOf(await send(120)))
      const names = auditsOf(home).setAside.map(({ device }) => device)
      expect(names).toEqual(audit === 0 ? [] : ['mallory'])
    }
    expect(wrong[0]).toBeGreaterThan(15)
    expect(wrong[1]).toBeLessThan(wrong[0]! / 2)
    expect(wrong[2]).toBeLessThan(wrong[1]!)
  })

  test.each([
    [0, 'first'],
    [1, 'second'],
    [2, 'last']
  ])('over many devices, one of which lies at block %i: it is named, and nobody else', async lies => {
    const lie: Lie = (values, { block }) => {
      if (block === lies) noise(values, net.blocks[block]!)
    }
    const names = pipeline(lies)
    const { home, send } = await cluster(1, names, { lie, memory: 1e6 })
    const { models } = home.device.status().placement
    expect(models.net!.mallory).toEqual([lies])
    expect(wrongOf(await send(40))).toBe(0)
    expect(auditsOf(home).setAside.map(({ device }) => device)).toEqual(['mallory'])
    expect(outcomesOf(home).impossible).toBe(0)
  })

  test('one that shows other things than it was given puts nobody else aside for long', async () => {
    const { home, mallory, send } = await cluster(1, pipeline(1), {
      lie: () => {},
      memory: 1e6
    })
    const { network } = mallory
    const send1 = network.sendTask.bind(network)
    network.sendTask = (to, task, tensors, report) => {
      if (task.shown !== 0n) for (const tensor of tensors) tensor.data[13]! ^= 1
      return send1(to, task, tensors, report)
    }
    expect(wrongOf(await send(80))).toBe(0)
    expect(auditsOf(home).setAside.map(({ device }) => device)).toContain('mallory')
  })

  test('one that shows nothing does not get away with it', async () => {
    const { home, mallory, send } = await cluster(1, pipeline(1), { memory: 1e6 })
    Object.assign(mallory.device.view, { state: () => undefined }) // nobody's data are kept
    expect(wrongOf(await send(40))).toBe(0)
    expect(auditsOf(home).setAside.map(({ device }) => device)).toEqual(['mallory'])
  })

  test('of two devices that differ it is known that they do, and not who is wrong', async () => {
    const { home, send } = await cluster(1, ['alpha', 'mallory'])
    const door = await send(20)
    expect(wrongOf(door)).toBeGreaterThan(0)
    expect(auditsOf(home)).toEqual({ done: 20, deviations: 20, impossible: 0, setAside: [] })
    expect(outcomesOf(home)).toMatchObject({ undecided: 20, agreed: 0 })
    const said = home.said.filter(text => text.endsWith('there is no third to settle it'))
    expect(said.length).toBeGreaterThan(0)
    expect(said.length).toBeLessThanOrEqual(2)
  })

  test('its own device settles it where it carries the blocks', async () => {
    const { home, send } = await cluster(1, ['alpha', 'mallory'], { homes: Number.POSITIVE_INFINITY })
    expect(wrongOf(await send(40))).toBe(0)
    expect(auditsOf(home).setAside.map(({ device }) => device)).toEqual(['mallory'])
  })

  test.each([true, false])(
    'what one member says of all others keeps nobody from looking (audited: %s)',
    async audited => {
      const { home, mallory, clock } = await cluster(1, [...HONEST, 'mallory'], { homes: Number.POSITIVE_INFINITY })
      const state = mallory.device.view.state(mallory.network.self)!
      const setAside = ['home', ...HONEST].map(device =>
        create(SetAsideSchema, { device, model: net.manifest.id, seconds: 600, because: 'fails', audited })
      )
      const door = home.addSource({ name: 'door', items: itemsOf(30), window: 8 })
      for (let sequence = 1_000_000n; !door.isDone && clock.now() < 100; sequence++) {
        mallory.network.publishState({ ...state, sequence, setAside })
        const until = clock.now() + 0.2
        await clock.run(() => clock.now() > until)
      }
      expect(answersOf(door)).toHaveLength(30)
      expect(wrongOf(door)).toBe(0)
      expect(outcomesOf(home)).toMatchObject({ impossible: 0 })
      expect(auditsOf(home).setAside.map(({ device }) => device)).toEqual(['mallory'])
      expect(home.said).toContainEqual(expect.stringMatching(/of this device others are not believed$/))
    }
  )

  test('of one device there is nobody to compute it again, and it is delivered', async () => {
    const { home, send } = await cluster(1, ['alpha'])
    expect(wrongOf(await send(10))).toBe(0)
    expect(outcomesOf(home)).toMatchObject({ impossible: 10, agreed: 0 })
    expect(home.said.filter(text => text.includes('delivered without having been compared'))).toHaveLength(1)
    expect(auditsOf(home)).toEqual({ done: 0, deviations: 0, impossible: 10, setAside: [] })
  })

  test('a model that makes something else each time accuses nobody', async () => {
    let turn = 0
    const lie: Lie = values => {
      values[3] = ++turn
    }
    const { clock, start } = open()
    const home = start({ name: 'home', models: [net], memory: 0, parts: { audit: 1 } })
    for (const name of HONEST) start({ name, lie })
    await clock.run(() => clock.now() > 3 && home.device.status().placement.ready)
    const door = home.addSource({ name: 'door', items: itemsOf(10), window: 4 })
    await clock.run(() => door.isDone || clock.now() > 100)
    expect(auditsOf(home)).toEqual({ done: 10, deviations: 10, impossible: 0, setAside: [] })
    expect(home.said.some(text => text.endsWith('and no two of them agree'))).toBe(true)
  })

  test('of honest devices: nobody is accused, and what is computed more is its share', async () => {
    for (const [audit, names, memory] of [
      [0, HONEST, undefined],
      [0.25, HONEST, undefined],
      [0.25, pipeline(1), 1e6]
    ] as const) {
      const honest = { lie: () => {}, ...(memory === undefined ? {} : { memory }) }
      const { home, send, ran } = await cluster(audit, names, honest)
      expect(wrongOf(await send(60))).toBe(0)
      const { done, deviations, setAside } = auditsOf(home)
      expect({ deviations, setAside }).toEqual({ deviations: 0, setAside: [] })
      expect(Math.abs(done - 60 * audit)).toBeLessThanOrEqual(audit === 0 ? 0 : 10)
      expect(outcomesOf(home).impossible).toBe(0)
      // Three blocks of each datum, and as many of each that is audited.
      expect([...ran.values()].reduce((a, b) => a + b)).toBe(3 * (60 + done))
    }
  })
})

const NOWHERE = { written: new Promise<never>(() => {}), answered: new Promise<never>(() => {}) }

/** It knows whence a datum came, and had no room for what it was. */
const keepNothing = (network: MemoryDevice['network']): void => {
  const send = network.sendTask.bind(network)
  network.sendTask = (to, task, tensors, report) => (task.shown === 0n ? send(to, task, tensors, report) : NOWHERE)
}

test('who is honest and keeps nothing of what it was given is not set aside for what another makes of it before', async () => {
  const lie: Lie = (values, { block }) => {
    if (block === 1) noise(values, net.blocks[block]!)
  }
  const { home, others, send } = await cluster(1, pipeline(1), { lie, memory: 1e6 })
  const { net: placed } = home.device.status().placement.models
  const last = Object.entries(placed!).flatMap(([name, blocks]) => (blocks.includes(2) ? [name] : []))
  for (const { device, network } of others)
    if (last.includes(device.view.nameOf(device.view.self))) keepNothing(network)
  const door = await send(60)
  // Where nobody is left to settle it, that is said.
  expect(wrongOf(door)).toBeLessThanOrEqual(outcomesOf(home).undecided)
  expect(outcomesOf(home).deviated).toBeGreaterThan(0)
  expect(
    auditsOf(home)
      .setAside.map(({ device }) => device)
      .filter(name => name !== 'mallory')
  ).toEqual([])
})
