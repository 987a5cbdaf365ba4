import { expect, test } from 'vitest'
import { modelId } from './ids.ts'
import { advanced, blocksOf, isFinished } from './progress.ts'
import { bytes, seconds } from './units.ts'
import { World } from './world.ts'

const world = new World()
const model = world.addModel({ id: modelId('m'), work: [1, 2, 3].map(seconds), activations: [4, 3, 2, 1].map(bytes) })

test('a datum is finished when as many blocks are done as its model has', () => {
  expect(blocksOf(world, model)).toBe(3)
  expect([0, 1, 2, 3].map(done => isFinished(world, { model, done }))).toEqual([false, false, false, true])
})

test('a block is followed by the next one, by the way home, or by the first one again', () => {
  const at = { model, done: 1 }
  expect([
    advanced(world, at),
    advanced(world, at, 'next'),
    advanced(world, at, 'home'),
    advanced(world, at, 'again')
  ]).toEqual([2, 2, 3, 0])
})
