import { expect, test } from 'vitest'
import { createRng } from '../../../core/rng.ts'
import { bytesPerSecond, type Seconds, seconds } from '../../../core/units.ts'
import { EventClock } from '../../../testing/simulated/event-clock.ts'
import { MemoryDevice } from '../../../testing/simulated/memory-device.ts'
import { MemoryHub } from '../../../testing/simulated/memory-hub.ts'
import { toyInput, toyModel, valuesOf } from '../../../testing/simulated/toy-model.ts'
import type { ClusterView } from '../../cluster/cluster-view.ts'
import type { Reply, Request } from '../../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../../ports/network.ts'
import { answerSteps } from './answer-steps.ts'
import { clusterStepsSchema } from './cluster-steps.ts'
import { REMEMBERED, RecentSteps } from './recent-steps.ts'
import { StepWatch } from './step-watch.ts'

const ran = (datum: number, at: number) => ({
  ...{ source: 'cam@porch', datum, model: 'net', block: 0 },
  ...{ ready: seconds(at), start: seconds(at), end: seconds(at + 0.5) }
})

/** This device and shed, whose clock is 1000 s ahead and whose answers take `latency` each way. */
const pair = (latency: { out: number; back: number }) => {
  let now = 50
  const clock = { now: () => seconds(now), sleep: async () => {} }
  const remote = { life: 7n, steps: new RecentSteps(), isSilent: false }
  const asked: Request[] = []
  const request = async (_: unknown, request: Request): Promise<Reply> => {
    if (remote.isSilent) throw new Error('shed did not answer within 2 s')
    asked.push(request)
    now += latency.out
    const { body } = request
    if (body.case !== 'steps') throw new Error('something else was asked')
    const ahead = { now: (): Seconds => seconds(now + 1000), sleep: clock.sleep }
    const answer = answerSteps({
      ...{ clock: ahead, life: remote.life, own: remote.steps },
      ofAll: () => Promise.reject(new Error('it is asked for its own'))
    })
    const reply = await answer(body.value)
    now += latency.back
    return reply
  }
  const own = new RecentSteps()
  const network = {
    self: 'porch',
    peers: () =>
      new Map([
        ['shed', 'device'],
        ['looks', 'observer']
      ]),
    request
  }
  const watch = new StepWatch({
    ...{ clock, own, network: network as unknown as Network },
    view: { nameOf: (id: string) => id } as unknown as ClusterView
  })
  return { watch, own, remote, asked, pass: (time: number) => (now += time) }
}

test('steps of another device are told on this one’s clock, within half of the quickest answer, each once', async () => {
  const { watch, own, remote } = pair({ out: 0.003, back: 0.001 })
  own.observer.ran(ran(1, 40))
  remote.steps.observer.ran(ran(1, 1041))
  const first = await watch.poll()
  expect(first.devices).toMatchObject([
    { id: 'porch', within: 0, missed: 0, because: '' },
    { id: 'shed', missed: 0, because: '' }
  ])
  expect(first.devices[1]!.within).toBeCloseTo(0.002, 4)
  expect(first.steps.map(({ device }) => device)).toEqual(['porch', 'shed'])
  const [, there] = first.steps
  expect(Math.abs((there as { start: number }).start - 41)).toBeLessThanOrEqual(0.002)
  remote.steps.observer.ran(ran(2, 1042))
  expect((await watch.poll()).steps.map(({ datum }) => datum)).toEqual([2])
  expect((await watch.poll()).steps).toEqual([])
})

test('a process that was started anew is asked from its beginning, with its new clock', async () => {
  const { watch, remote } = pair({ out: 0.001, back: 0.001 })
  for (let datum = 0; datum < 10; datum++) remote.steps.observer.ran(ran(datum, 1040))
  await watch.poll()
  Object.assign(remote, { life: 8n, steps: new RecentSteps() })
  remote.steps.observer.ran(ran(77, 1060))
  expect((await watch.poll()).steps.map(({ datum }) => datum)).toEqual([77])
  remote.steps.observer.ran(ran(78, 1061))
  expect((await watch.poll()).steps.map(({ datum }) => datum)).toEqual([78])
})

test('who does not answer is named with why, and the others are told', async () => {
  const { watch, own, remote } = pair({ out: 0.001, back: 0.001 })
  own.observer.ran(ran(1, 40))
  remote.isSilent = true
  const { devices, steps } = await watch.poll()
  expect([devices[1]!.because, steps.length]).toEqual(['shed did not answer within 2 s', 1])
})

test('what is remembered is bounded, what is forgotten is counted, and what is wanted is chosen where it was done', () => {
  const steps = new RecentSteps()
  for (let datum = 0; datum < REMEMBERED + 10; datum++) steps.observer.ran(ran(datum, datum))
  expect(steps.after({})).toMatchObject({ missed: 10, steps: { length: REMEMBERED } })
  expect(steps.after({ after: REMEMBERED, most: 4 })).toMatchObject({ missed: 6, steps: { length: 4 } })
  expect(steps.after({ most: 0 }).steps).toEqual([])
  expect(steps.after({ source: 'cam', datum: 20 }).steps).toHaveLength(1)
  expect(steps.after({ source: 'ca' }).steps).toEqual([])
  const few = steps.after({ every: 1000 })
  expect([few.missed, few.steps.map(({ datum }) => datum)]).toEqual([10, [1000, 2000, 3000, 4000]])
})

test('devices of a cluster tell one of them what each did for a datum', async () => {
  const clock = new EventClock()
  const hub = new MemoryHub({
    ...{ clock, rng: createRng('memory') },
    shape: () => ({ latency: seconds(0.002), rate: bytesPerSecond(1e6) })
  })
  const net = toyModel({ name: 'net', salt: 1, work: [0.05, 0.05], weights: [1e6, 1e6], length: 8, skips: false })
  const start = (name: string, memory: number, models: (typeof net)[]): MemoryDevice => {
    const device = new MemoryDevice({ hub, name, memory, models })
    void device.start()
    return device
  }
  const porch = start('porch', 1.1e6, [net])
  const shed = start('shed', 1.1e6, [])
  await clock.run(() => porch.device.status().placement.ready && clock.now() > 3)
  const item = { type: 'int32', dims: [1, 8], data: [...valuesOf(toyInput(net, 0, 0))] } as const
  const door = porch.addSource({ name: 'door', model: 'net', items: [item, item] })
  await clock.run(() => door.isDone || clock.now() > 60)
  const polled = shed.device.watchSteps().poll({ source: 'door', datum: 1 })
  let told: Awaited<typeof polled> | undefined
  void polled.then(result => (told = result))
  await clock.run(() => told !== undefined || clock.now() > 90)
  const { steps } = clusterStepsSchema.parse(JSON.parse(JSON.stringify(told)))
  expect(steps.map(({ device, did }) => `${device} ${did}`)).toEqual([
    'porch admitted',
    'porch ran',
    'porch sent',
    'shed ran',
    'shed sent',
    'porch ended'
  ])
})
