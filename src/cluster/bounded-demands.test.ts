import { expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes } from '../core/units.ts'
import { boundedDemands } from './bounded-demands.ts'
import type { StatedDevice } from './stated-device.ts'

const device = (name: string, ...demands: readonly number[]): StatedDevice => ({
  ...{ id: deviceId(name), speed: 1, memory: bytes(1), models: [], links: [] },
  sources: demands.map(demand => ({ model: modelId('net'), demand }))
})
const demands = (devices: readonly StatedDevice[]) =>
  boundedDemands(devices).map(({ sources }) => sources.map(({ demand }) => demand))

test('a device that says a thousand times a billion counts as a hundred times the others, its sources as they are to each other', () => {
  const many = Array.from({ length: 1000 }, () => 1e9)
  const [cam, door, mallory] = demands([device('cam', 10), device('door', 2), device('mallory', ...many)])
  expect([cam, door]).toEqual([[10], [2]])
  expect(new Set(mallory)).toEqual(new Set([1.2]))
  expect(demands([device('cam', 10), device('mallory', 3e9, 1e9)])).toEqual([[10], [750, 250]])
})

test('what devices may well ask for stays as they say it', () => {
  for (const each of [[], [[1e9]], [[1e9], []], [[1000], [10]], [[10, 3], [0.2], [5]]])
    expect(demands(each.map((own, i) => device(`d${i}`, ...own)))).toEqual(each)
})
