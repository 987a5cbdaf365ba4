import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { expectEachOnce } from '../testing/expect-each-once.ts'
import { policyOn } from '../testing/policy-on.ts'
import { smallWorld } from '../testing/small-world.ts'
import { taskState } from '../testing/task-state.ts'
import { createArMdi } from './ar-mdi.ts'

const now = seconds(0)
const go = (...all: readonly (readonly [device: number, until: number])[]) => ({
  kind: 'go',
  steps: all.map(([device, until]) => ({ device, until }))
})
const bothWays = (...pairs: readonly [number, number][]): [number, number][] =>
  pairs.flatMap(([a, b]): [number, number][] => [
    [a, b],
    [b, a]
  ])

test('a large block does not spoil the proportion of the others', () => {
  // 10 s is the slowest share whatever happens; the four small blocks still go two and two, not four and none.
  const world = smallWorld({ speeds: [1, 1, 1], work: [10, 1, 1, 1, 1], activations: [1, 1, 1, 1, 1, 1] })
  expect(policyOn(createArMdi, world).admit(taskState(), now)).toEqual(go([0, 1], [1, 3], [2, 5]))
})

test('in a star the activation passes through the hub between two leaves', () => {
  const pairs = bothWays([0, 1], [0, 2], [0, 3])
  const world = smallWorld({ speeds: [1, 1, 1, 1], work: [1, 1, 1, 1], activations: [1, 1, 1, 1, 1], pairs })
  expect(policyOn(createArMdi, world).admit(taskState(), now)).toEqual(
    go([0, 1], [1, 2], [0, 2], [2, 3], [0, 3], [3, 4])
  )
})

test('the chain starts at the source, wherever it is in the line', () => {
  const world = smallWorld({
    speeds: [1, 1, 1],
    work: [1, 1, 1],
    activations: [1, 1, 1, 1],
    pairs: bothWays([0, 1], [1, 2])
  })
  const task = taskState({ home: 2 })
  expect(policyOn(createArMdi, world, 2).admit(task, now)).toEqual(go([2, 1], [1, 2], [0, 3]))
})

test('where the chain has no contiguous division, a device comes twice', () => {
  const world = smallWorld({ speeds: [1, 1], work: [1, 1, 1], activations: [1, 1, 1, 1], carried: [[0, 2], [1]] })
  expect(policyOn(createArMdi, world).admit(taskState(), now)).toEqual(go([0, 1], [1, 2], [0, 3]))
})

test('waits for the first block out of reach, also when a device that is cut off carries it', () => {
  const pairs = bothWays([0, 1])
  const world = smallWorld({
    speeds: [1, 1, 1],
    work: [1, 1],
    activations: [1, 1, 1],
    pairs,
    carried: [[0], [0], [0, 1]]
  })
  expect(policyOn(createArMdi, world).admit(taskState(), now)).toEqual({ kind: 'wait', block: 1 })
})

test('a task that is under way is divided from where it stands', () => {
  const world = smallWorld({ speeds: [1, 1], work: [1, 1, 1, 1], activations: [1, 1, 1, 1, 1] })
  expect(policyOn(createArMdi, world, 1).next(taskState({ done: 2 }), now)).toEqual(go([1, 3], [0, 4]))
})

test('every datum of a random network comes home once', () => expectEachOnce(createArMdi), 60_000)
