import { expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { placementProblem } from './placement-problem.ts'
import type { StatedDevice } from './stated-device.ts'

const net = modelId('net')
const models = [
  { id: net, blocks: [2, 4].map(work => ({ work: seconds(work), bytes: bytes(1) })), activations: [1, 1, 1].map(bytes) }
]
const device = (name: string, over: Partial<StatedDevice> = {}): StatedDevice => ({
  ...{ id: deviceId(name), speed: 1, memory: bytes(10), models: [], links: [], sources: [] },
  ...over
})
const problem = (...devices: readonly StatedDevice[]) => placementProblem({ devices, models, wholeModels: false })

test('a device is as fast as its blocks show, against what is declared of them or else their work', () => {
  const carried = [
    { block: 0, seconds: 1 },
    { block: 1, seconds: 5 }
  ]
  const { devices, models: planned } = problem(
    device('a', { speed: 7 }),
    device('b', { speed: 7, models: [{ model: net, carried, times: [] }] }),
    device('c', { speed: 7, models: [{ model: net, carried, times: [6, 12] }] }),
    device('d', { speed: 7, models: [{ model: net, carried: [{ block: 0, seconds: Number.NaN }], times: [1, -1] }] })
  )
  expect(devices.map(({ speed }) => speed)).toEqual([7, 1, 3, 7])
  expect(planned[0]!.times).toEqual([undefined, undefined, [2, 4], undefined])
})

test('what is said of devices and models that are no part of the plan does not count', () => {
  const link = { to: deviceId('b'), rate: bytesPerSecond(9), latency: seconds(1), medium: undefined }
  const {
    links,
    sources,
    models: planned
  } = problem(
    device('a', {
      links: [link, { ...link, to: deviceId('gone') }],
      sources: [
        { model: modelId('other'), demand: 1 },
        { model: undefined, demand: 1 },
        { model: net, demand: 3 }
      ]
    }),
    device('b', { links: [{ ...link, to: deviceId('a'), medium: 5 }] })
  )
  expect(links).toEqual([
    { from: 0, to: 1, rate: 9, latency: 1 },
    { from: 1, to: 0, rate: 9, latency: 1, medium: 5 }
  ])
  expect(sources).toEqual([{ device: 0, model: 0, demand: 3 }])
  expect(planned[0]!.times).toBeUndefined()
})

test('what is carried of a model that a device has by several names counts', () => {
  const said = { model: net, carried: [{ block: 1, seconds: 4 }], times: [] }
  const { carried } = problem(device('a', { models: [said, { model: net, carried: [], times: [] }] }))
  expect(carried.get(deviceId('a'))?.get(net)).toEqual([1])
})

test('nothing is placed on a device that is out of plans, where most are not and have room for all', () => {
  const memories = (...devices: readonly StatedDevice[]): number[] =>
    problem(...devices).devices.map(({ memory }) => memory)
  const [a, b, out] = [device('a'), device('b'), device('out', { isOutOfPlans: true })]
  expect(memories(a, b, out)).toEqual([10, 10, 0])
  expect(memories(a, out)).toEqual([10, 10])
  const [small, tiny] = [device('a', { memory: bytes(1) }), device('b', { memory: bytes(0) })]
  expect(memories(small, tiny, out)).toEqual([1, 0, 10])
})
