import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { WholeModels } from '../../core/whole-models.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import { loneDevice, memorySink, numberSource, ownedCounting, resultsIn } from '../../testing/lone-device.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'

const sourceOf = (lone: ReturnType<typeof loneDevice>, name: string) =>
  lone.device.status().sources.find(source => source.name === name)

test('a source that is added before the start runs, and so does one that is added long after', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 3)] })
  await using device = lone.device
  const sink = memorySink()
  await device.addSource(numberSource(lone, 'early', { count: 5, sink }))
  await device.start()
  await lone.clock.advance(seconds(5))
  await device.sourcesDone()
  expect(resultsIn(sink, 'early@porch').toSorted()).toEqual([13, 23, 3, 33, 43])
  await device.addSource(numberSource(lone, 'late', { count: 6, sink }))
  expect(sourceOf(lone, 'late')).toMatchObject({ state: 'waiting' })
  await lone.clock.advance(seconds(5))
  await device.sourcesDone()
  expect(resultsIn(sink, 'late@porch')).toHaveLength(6)
  expect(sourceOf(lone, 'late')).toMatchObject({ state: 'done', completed: 6 })
  expect(lone.states.at(-1)!.sources).toHaveLength(2)
})

test('a source that comes to a device which had none begins, once its model is there', async () => {
  const lone = loneDevice()
  await using device = lone.device
  await device.start()
  await lone.clock.advance(seconds(3))
  const sink = memorySink()
  await device.addSource(numberSource(lone, 'cam', { model: 'net', count: 3, sink }))
  await lone.clock.advance(seconds(5))
  expect(sink.lines).toEqual([])
  await device.addModel(ownedCounting('net', 2))
  await lone.clock.advance(seconds(5))
  await device.sourcesDone()
  expect(resultsIn(sink, 'cam@porch')).toEqual([2, 12, 22])
})

test('whoever waits for the sources waits for those that come meanwhile too', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  const sink = memorySink()
  await device.addSource(numberSource(lone, 'first', { count: 40, sink, every: 0.1 }))
  await device.start()
  let isDone = false
  const done = device.sourcesDone().then(() => {
    isDone = true
  })
  await lone.clock.advance(seconds(2))
  await device.addSource(numberSource(lone, 'second', { count: 80, sink, every: 0.1 }))
  await lone.clock.advance(seconds(4))
  expect([sourceOf(lone, 'first')?.state, sourceOf(lone, 'second')?.state, isDone]).toEqual(['done', 'running', false])
  await lone.clock.advance(seconds(10))
  await done
  expect(sink.lines).toHaveLength(120)
})

test('a source that is removed ends, its tasks are gone, and one of its name can come', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 2)] })
  await using device = lone.device
  const sink = memorySink()
  await device.addSource(numberSource(lone, 'cam', { count: 1000, sink }))
  await device.addSource(numberSource(lone, 'door', { count: 20, sink }))
  await device.start()
  await lone.clock.advance(seconds(2))
  expect(await device.removeSource('cam@porch')).toBe(true)
  expect(await device.removeSource('cam@porch')).toBe(false)
  await lone.clock.advance(seconds(1))
  const before = resultsIn(sink, 'cam@porch').length
  await lone.clock.advance(seconds(5))
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(before)
  expect(before).toBeLessThan(1000)
  await device.sourcesDone()
  expect(resultsIn(sink, 'door@porch')).toHaveLength(20)
  expect(device.ownSources().map(({ name }) => name)).toEqual(['door'])
  const again = memorySink()
  await device.addSource(numberSource(lone, 'cam', { count: 3, sink: again }))
  await lone.clock.advance(seconds(5))
  expect(again.lines).toHaveLength(3)
})

test('what a removed source has under way comes home where there is patience for it', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 2)] })
  await using device = lone.device
  const sink = memorySink()
  await device.addSource(numberSource(lone, 'cam', { count: 1000, sink }))
  await device.start()
  await lone.clock.advance(seconds(2))
  const { completed, inFlight } = sourceOf(lone, 'cam')!
  expect(inFlight).toBeGreaterThan(1)
  const removed = device.removeSource('cam@porch', seconds(30))
  await lone.clock.advance(seconds(5))
  expect(await removed).toBe(true)
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(completed + inFlight)
  expect(device.ownSources()).toEqual([])
})

test('a model of this device becomes another, and only that name of it', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  const sink = memorySink()
  await device.start()
  await device.addSource(numberSource(lone, 'before', { count: 2, sink }))
  await lone.clock.advance(seconds(5))
  expect(await device.updateModel(ownedCounting('net', 1))).toBe(false)
  expect(await device.updateModel(ownedCounting('net', 5))).toBe(true)
  await device.addSource(numberSource(lone, 'after', { count: 2, sink }))
  await lone.clock.advance(seconds(5))
  expect([resultsIn(sink, 'before@porch'), resultsIn(sink, 'after@porch')]).toEqual([
    [1, 11],
    [5, 15]
  ])
  await expect(device.updateModel(ownedCounting('other', 5))).rejects.toThrow('model "other" is not of this device')
})

test('a source of an id that is here, or that cannot be served, is refused and leaves no trace', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  const sink = memorySink()
  const cam = numberSource(lone, 'cam', { count: 1, sink })
  await device.addSource(cam)
  await expect(device.addSource(numberSource(lone, 'cam', { count: 1, sink }))).rejects.toMatchObject({
    message: expect.stringContaining('source cam@porch is here already'),
    code: 'nameTaken'
  })
  await device.start()
  await lone.clock.advance(seconds(2))
  const misfit = numberSource(lone, 'misfit', { count: 1, sink })
  misfit.check = () => Promise.reject(new UserError('images do not fit'))
  await expect(device.addSource(misfit)).rejects.toThrow('images do not fit')
  await device.sourcesDone()
  expect(device.ownSources().map(({ name }) => name)).toEqual(['cam'])
})

test('models come and go while the device runs: sources compute with what their name means now', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  const sink = memorySink()
  await device.start()
  await device.addModel(ownedCounting('other', 5))
  await device.addSource(numberSource(lone, 'cam', { model: 'other', count: 2, sink }))
  await lone.clock.advance(seconds(5))
  expect(resultsIn(sink, 'cam@porch')).toEqual([5, 15])
  expect(
    lone.states
      .at(-1)!
      .models.map(({ name }) => name)
      .toSorted()
  ).toEqual(['net', 'other'])
  await expect(device.addModel(ownedCounting('other', 2))).rejects.toThrow('model "other" is of this device already')
  expect(await device.removeModel('other')).toBe(true)
  expect(await device.removeModel('other')).toBe(false)
  await lone.clock.advance(seconds(2))
  expect(device.view.manifests().map(({ name }) => name)).toEqual(['net'])
  expect(device.status().devices[0]!.models).toEqual({ net: { blocks: [0], residentBytes: 1000 } })
  await device.addModel(ownedCounting('other', 5))
  await device.addSource(numberSource(lone, 'again', { model: 'other', count: 1, sink }))
  await lone.clock.advance(seconds(5))
  expect(resultsIn(sink, 'again@porch')).toEqual([5])
})

test('a model that is added before the start is there at the start, and one that is removed before is not', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  await device.addModel(ownedCounting('more', 2))
  expect(await device.removeModel('net')).toBe(true)
  await device.start()
  expect(device.view.manifests().map(({ name }) => name)).toEqual(['more'])
})

test('the planner is asked for what the policy says that it needs, whatever it is called', async () => {
  const asked: WholeModels[] = []
  const lone = loneDevice({
    models: [ownedCounting('net', 2)],
    createPolicy: host => ({ ...POLICIES.confluence(host), name: 'mine', wholeModels: 'at sources' }),
    place: async problem => {
      asked.push(problem.wholeModels)
      return proportionalPlacement(problem)
    }
  })
  await using device = lone.device
  await device.start()
  await lone.clock.advance(seconds(2))
  expect(asked).toEqual(['at sources'])
})

test('that a device leaves and that it cannot plan are told apart', async () => {
  const lone = loneDevice()
  await lone.device.start()
  await lone.clock.advance(seconds(2))
  const stopped = lone.device.stop()
  await lone.clock.advance(seconds(1))
  await stopped
  const told = lone.states.map(({ canPlan, leaving }) => [canPlan, leaving])
  expect([told[0], told.at(-1)]).toEqual([
    [true, false],
    [true, true]
  ])
  const worker = loneDevice({ place: undefined })
  await worker.device.start()
  await worker.clock.advance(seconds(2))
  expect(worker.states.at(-1)).toMatchObject({ canPlan: false, leaving: false })
})

test('nothing comes to a device that has stopped', async () => {
  const lone = loneDevice()
  await lone.device.start()
  const stopped = lone.device.stop()
  await lone.clock.advance(seconds(1))
  await stopped
  const source = numberSource(lone, 'cam', { count: 1, sink: memorySink() })
  await expect(lone.device.addSource(source)).rejects.toThrow('the device stops')
  await expect(lone.device.addModel(ownedCounting('net', 1))).rejects.toThrow('the device stops')
})

test('what its policy reports is told when the policy wants it, and not when the device happens to look', async () => {
  const lone = loneDevice({
    createPolicy: host => ({
      ...POLICIES['ms-mdi'](host),
      reportInterval: () => seconds(0.25),
      report: () => ({ backlog: seconds(0.3), commitments: [], received: [] })
    })
  })
  await using device = lone.device
  const told: number[] = []
  lone.network.peers = () => new Map([[deviceId('other'), 'device']])
  lone.network.notify = (_, { body }) => void (body.case === 'report' && told.push(lone.clock.now()))
  await device.start()
  await lone.clock.advance(seconds(2.1))
  const [first] = told
  expect(told.map(at => at - first!)).toEqual([0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2])
})

test('who looks on is told apart from devices, and who said goodbye from who is lost', async () => {
  const lone = loneDevice()
  await using device = lone.device
  await device.start()
  await lone.clock.advance(seconds(2))
  const { view } = device
  const report = JSON.parse(lone.states.at(-1)!.status) as object
  const links = [{ to: 'looks', rate: 1, latency: 0, bytesSent: 0, emulated: false }]
  const comes = (name: string, more: object): void => {
    const status = JSON.stringify({ ...report, name, links, sources: [], ...more })
    view.joined(deviceId(name), 1n)
    view.heard(
      deviceId(name),
      create(DeviceStateSchema, { device: name, name, life: 1n, sequence: 1n, speed: 1, status })
    )
  }
  comes('shed', {})
  comes('attic', { links: [] })
  comes('looks', { role: 'guest', memory: 0 })
  comes('brings', { role: 'guest', memory: null })
  const status = device.status()
  expect(status.devices.map(({ name }) => name)).toEqual(['attic', 'brings', 'porch', 'shed'])
  expect(status.guests.map(({ name }) => name)).toEqual(['looks'])
  expect(status.devices.flatMap(({ links: known }) => known)).toEqual([])
  view.saidGoodbye(deviceId('shed'))
  for (const name of ['shed', 'attic']) view.left(deviceId(name))
  expect(device.status().losses.devicesLost).toBe(1)
  view.joined(deviceId('shed'), 1n)
  view.left(deviceId('shed'))
  expect(device.status().losses.devicesLost).toBe(2)
})
