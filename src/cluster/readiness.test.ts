import { expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import type { NumberedPlacement } from './numbered-placement.ts'
import { areReady, hasWay, missingBlock } from './readiness.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>]

test('all are ready when each is in the placement and has said that it has loaded what that asks', () => {
  const current: NumberedPlacement = { epoch: 3, planner: A, placement: new Map([[A, new Map()]]), unplaced: [] }
  const ready = (epoch: number, id = A) => ({ id, readyEpoch: epoch })
  expect(areReady([ready(3)], undefined)).toBe(false)
  expect(areReady([ready(2)], current)).toBe(false)
  expect(areReady([ready(3)], current)).toBe(true)
  expect(areReady([ready(3), ready(4, B)], current)).toBe(false) // the placement is one without b
})

test('the first block that nobody who is there computes is missing; a pinned one anywhere but at home', () => {
  const world = new World()
  for (const id of [A, B]) world.addDevice(id)
  const facts = { work: [1, 1].map(seconds), activations: [1, 1, 1].map(bytes) }
  const free = world.addModel({ id: modelId('free'), ...facts })
  const pinned = world.addModel({ id: modelId('pinned'), ...facts, pinned: true })
  expect(missingBlock(world, free, 0)).toBe(0)
  for (const m of [free, pinned]) for (const k of [0, 1]) world.setCarried(1, m, k, true)
  expect([missingBlock(world, free, 0), missingBlock(world, pinned, 0)]).toEqual([undefined, 0])
  world.setCarried(0, pinned, 0, true)
  expect(missingBlock(world, pinned, 0)).toBeUndefined()
  world.setUp(1, false)
  expect([missingBlock(world, free, 0), missingBlock(world, pinned, 0)]).toEqual([0, 1])
})

test('there is a way once the links to who computes and back are known: of who has just come that is heard of later', () => {
  const world = new World()
  for (const id of [A, B]) world.addDevice(id)
  const model = world.addModel({ id: modelId('free'), work: [seconds(1)], activations: [1, 1].map(bytes) })
  world.setCarried(1, model, 0, true)
  expect(missingBlock(world, model, 0)).toBeUndefined()
  expect(hasWay(world, model, 0)).toBe(false)
  world.setLink(0, 1, bytesPerSecond(1), seconds(0))
  expect(hasWay(world, model, 0)).toBe(false)
  world.setLink(1, 0, bytesPerSecond(1), seconds(0))
  expect(hasWay(world, model, 0)).toBe(true)
})
