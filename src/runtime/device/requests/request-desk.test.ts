import { afterEach, expect, test } from 'vitest'
import { deferred } from '../../../core/deferred.ts'
import type { Tensor } from '../../../core/tensor.ts'
import { seconds } from '../../../core/units.ts'
import { proportionalPlacement } from '../../../planner/proportional-placement.ts'
import { loneDevice, ownedCounting } from '../../../testing/lone-device.ts'
import type { DeviceObserver } from '../../ports/device-observer.ts'
import { RequestDesk, type RequestLimits } from './request-desk.ts'
import type { RequestError } from './request-error.ts'

const desks: RequestDesk[] = []
afterEach(async () => {
  await Promise.all(desks.splice(0).map(desk => desk.stop()))
})

const x = (value: number): Tensor => ({
  ...{ name: 'x', type: 'float32', dims: [1] },
  data: new Uint8Array(Float32Array.of(value).buffer)
})
const numberIn = ({ data }: Tensor): number => new Float32Array(data.slice().buffer)[0]!

/** A device whose model adds 3, in 10 ms for each of its three blocks, on a clock that the test moves. */
const start = async (limits: Partial<RequestLimits> = {}, observe?: DeviceObserver, startWhen = 1) => {
  const lone = loneDevice({
    models: [ownedCounting('net', 3)],
    startWhen,
    ...(observe === undefined ? {} : { observe })
  })
  const { device, clock } = lone
  const starting = device.start()
  await clock.advance(seconds(3))
  await starting
  const desk = new RequestDesk({
    ...{ device, deviceName: 'porch', life: '1', clock, wallTime: () => clock.now(), say: () => {}, limits }
  })
  desks.push(desk)
  const ask = (value: number, connection: object, more: object = {}): Promise<unknown> =>
    desk.compute({ model: 'net', tensors: [x(value)], asker: { connection }, ...more }).then(
      ({ outputs }) => numberIn(outputs[0]!),
      (error: RequestError) => error.problem
    )
  const sources = (): string[] => device.ownSources().map(({ name }) => name)
  return { ...lone, desk, ask, sources }
}

test('each request has its own answer, however many connections ask at once; more than there are seats share', async () => {
  const { ask, clock, sources } = await start({ sources: 8 })
  const answers = Promise.all(Array.from({ length: 40 }, (_, i) => ask(i, {})))
  await clock.advance(seconds(5))
  expect(await answers).toEqual(Array.from({ length: 40 }, (_, i) => i + 3))
  expect(sources()).toHaveLength(4)
})

test('who has a name finds a seat though all others are taken by those without', async () => {
  const { ask, desk, clock } = await start({ sources: 4 })
  const others = Array.from({ length: 20 }, (_, i) => ask(i, {}))
  const named = desk.compute({ model: 'net', tensors: [x(7)], asker: { name: 'gate' } })
  await clock.advance(seconds(5))
  expect(numberIn((await named).outputs[0]!)).toBe(10)
  expect(await Promise.all(others)).toHaveLength(20)
})

test('beyond the limits, of one and of all, a request is refused at once', async () => {
  const { ask, clock } = await start({ requests: 6, requestsEach: 4 })
  const one = {}
  const mine = Array.from({ length: 5 }, (_, i) => ask(i, one))
  expect(await mine[4]).toBe('queueFull')
  const others = [ask(0, {}), ask(0, {}), ask(0, {})]
  expect(await others[2]).toBe('queueFull')
  await clock.advance(seconds(2))
  expect(await Promise.all(mine.slice(0, 4))).toEqual([3, 4, 5, 6])
  expect(await ask(1, {}, { model: 'none' })).toBe('noSuchModel')
})

test('where sources wait for other devices a request is refused, and does not wait without a word', async () => {
  const { ask } = await start({}, undefined, 2)
  expect(await ask(1, {})).toBe('notReady')
})

test('an observer hears of each request when it is sent on its way, and what became of it', async () => {
  const heard: string[] = []
  const { ask, clock } = await start(
    {},
    {
      ran: () => {},
      sent: () => {},
      admitted: ({ source }) => heard.push(`${source} admitted`),
      ended: ({ source, outcome }) => heard.push(`${source} ${outcome}`)
    }
  )
  const over = new AbortController()
  const answers = Promise.all([ask(1, {}), ask(2, {}, { asker: { name: 'gate' }, signal: over.signal })])
  await clock.advance(seconds(0.001))
  over.abort()
  await clock.advance(seconds(2))
  expect(await answers).toEqual([4, 'cancelled'])
  expect(heard.sort()).toEqual([
    'client-1@porch#1.1 admitted',
    'client-1@porch#1.1 result',
    'gate@porch#1.2 admitted',
    'gate@porch#1.2 dropped'
  ])
})

test('a request that is cancelled, or is not begun in time, leaves nothing behind', async () => {
  const { ask, desk, clock, device } = await start()
  const over = new AbortController()
  const one = {}
  const first = ask(1, one)
  const cancelled = ask(2, one, { signal: over.signal })
  const late = ask(3, one, { timeout: seconds(0.005) })
  await clock.advance(seconds(0.001))
  over.abort()
  expect(await cancelled).toBe('cancelled')
  await clock.advance(seconds(0.006))
  expect(await late).toBe('deadline')
  await clock.advance(seconds(2))
  expect(await first).toBe(4)
  expect(desk.pending).toBe(0)
  expect(device.ownSources()).toMatchObject([{ isAsked: true, dropped: 2 }])
})

test('seats that nobody has sat on for half a minute are removed, and whoever asks again has one', async () => {
  const { ask, clock, sources } = await start()
  const answers = Promise.all([ask(1, {}), ask(2, {}), ask(3, {})])
  await clock.advance(seconds(5))
  await answers
  expect(sources()).toHaveLength(3)
  await clock.advance(seconds(20))
  expect(sources()).toHaveLength(3)
  await clock.advance(seconds(20))
  expect(sources()).toEqual([])
  const again = ask(4, {})
  await clock.advance(seconds(2))
  expect(await again).toBe(7)
})

test('whoever waits when it is stopped is told so', async () => {
  const { ask, desk, clock } = await start()
  const waiting = [ask(1, {}), ask(2, {})]
  await clock.advance(seconds(0.005))
  const stopped = desk.stop()
  await clock.advance(seconds(1))
  await stopped
  expect(await Promise.all(waiting)).toEqual(['stopped', 'stopped'])
  expect(await ask(3, {})).toBe('stopped')
})

test('the placement is said to be ready when requests are answered, also where no source waits for it', async () => {
  const planned = deferred()
  const lone = loneDevice({
    models: [ownedCounting('net', 3)],
    place: async problem => {
      await planned.promise
      return proportionalPlacement(problem)
    }
  })
  await using device = lone.device
  const { clock } = lone
  const desk = new RequestDesk({
    ...{ device, deviceName: 'porch', life: '1', clock, wallTime: () => clock.now(), say: () => {} }
  })
  desks.push(desk)
  await device.start()
  await clock.advance(seconds(4)) // a plan that takes longer is preceded by a stopgap
  const isReady = () => device.status().placement.ready
  const isAnswered = () => desk.lackOf(desk.model('net')) === undefined
  expect([isReady(), isAnswered(), device.sourcesHaveBegun]).toEqual([false, false, true])
  planned.resolve()
  await clock.advance(seconds(1))
  expect([isReady(), isAnswered()]).toEqual([true, true])
})

test('where there is no model, nothing has to be placed', async () => {
  const lone = loneDevice()
  await using device = lone.device
  await device.start()
  await lone.clock.advance(seconds(1))
  expect(device.status().placement).toMatchObject({ epoch: 0, ready: true })
})
