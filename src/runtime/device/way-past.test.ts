import { expect, test } from 'vitest'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../../core/units.ts'
import { World } from '../../core/world.ts'
import { wayPast } from './way-past.ts'

const [HOME, A, B, HOLE] = ['home', 'a', 'b', 'hole'].map(deviceId) as [DeviceId, DeviceId, DeviceId, DeviceId]
const NET = modelId('net')

/** Home carries nothing, a the first block, b the second, and the hole says that it has both and is near to all. */
const world = (): World => {
  const made = new World()
  for (const id of [HOME, A, B, HOLE]) made.addDevice(id, 1)
  const model = made.addModel({ id: NET, work: [1, 1].map(seconds), activations: [1, 1, 1].map(bytes) })
  for (const [device, block] of [
    [1, 0],
    [2, 1],
    [3, 0],
    [3, 1]
  ] as const)
    made.setCarried(device, model, block, true)
  for (const from of [0, 1, 2, 3])
    for (const to of [0, 1, 2, 3]) {
      const isNear = from === 3 || to === 3
      if (from !== to) made.setLink(from, to, bytesPerSecond(isNear ? 1e12 : 1e3), seconds(isNear ? 1e-9 : 0.01))
    }
  return made
}

const way = (avoided: readonly DeviceId[], spared: readonly DeviceId[] = [], busy: readonly DeviceId[] = []) =>
  wayPast({ world: world(), selfIndex: 0 }, NET, {
    isAvoided: device => avoided.includes(device),
    isSpared: device => spared.includes(device),
    dataWith: device => (busy.includes(device) ? 10 : 0)
  })?.map(({ device, until }) => [[HOME, A, B, HOLE][device], until])

test('who is avoided computes nothing, and nothing goes over it, however near it says that it is', () => {
  expect(way([])!.some(([device]) => device === HOLE)).toBe(true)
  expect(way([HOLE])).toEqual([
    [A, 1],
    [B, 2],
    [HOME, 2]
  ])
})

test('who is spared computes what else only those that are avoided can', () => {
  expect(way([HOLE], [A, B])).toEqual(way([HOLE]))
  expect(way([], [A, B])!.filter(([device]) => device !== HOLE)).toEqual([[HOME, 2]])
})

test('who has much before it is dearer', () => {
  expect(way([], [], [HOLE])).toEqual([
    [HOLE, 0],
    [A, 1],
    [HOLE, 1],
    [B, 2],
    [HOLE, 2],
    [HOME, 2]
  ])
})

test('where there is no way past them there is none', () => {
  expect(way([HOLE, A])).toBeUndefined()
})
