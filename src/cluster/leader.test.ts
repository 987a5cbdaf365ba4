import { expect, test } from 'vitest'
import { epochOf } from '../core/epoch.ts'
import { type DeviceId, deviceId, modelId } from '../core/ids.ts'
import { bytes, seconds } from '../core/units.ts'
import type { PlacementOutcome, PlacementProblem } from '../planner/placement.ts'
import { Election } from './election.ts'
import { Leader } from './leader.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [DeviceId, DeviceId]
const problem = (memory: number, come: readonly DeviceId[]): PlacementProblem => ({
  devices: [B, ...come].map(id => ({ id, speed: 1, memory: bytes(memory) })),
  models: [{ id: modelId('m'), blocks: [{ bytes: bytes(1), work: seconds(1) }], activations: [1, 1].map(bytes) }],
  links: [],
  sources: [],
  wholeModels: false,
  carried: new Map()
})
const outcome: PlacementOutcome = { placement: new Map([[B, new Map([[modelId('m'), [0]]])]]), unplaced: [] }

/** As device b has it. */
const open = () => {
  const state = {
    now: 0,
    staying: [B],
    known: true,
    memory: 1,
    asked: 0,
    expected: 0,
    owes: false,
    come: [] as DeviceId[]
  }
  const published: NumberedPlacement[] = []
  let end: { made: () => void; failed: () => void } = { made: () => {}, failed: () => {} }
  const now = () => seconds(state.now)
  const election = new Election({
    ...{ self: B, now, votes: () => [], current: () => published.at(-1) },
    staying: () => state.staying.map(id => ({ id, canPlan: true })),
    ...{ owes: () => state.owes, say: () => {}, nameOf: String }
  })
  const leader = new Leader({
    ...{ self: B, now, election },
    allAreKnown: () => state.known,
    problem: () => problem(state.memory, state.come),
    make: (_, made, failed) => {
      state.asked++
      end = { made: () => made(outcome), failed }
    },
    publish: placement => published.push(placement),
    expect: () => {
      state.expected++
    }
  })
  /** Looks for so many tenths of a second. */
  const pass = (tenths: number): void => {
    for (let i = 0; i < tenths; i++) {
      state.now += 0.1
      election.tick()
      leader.tick(published.at(-1))
    }
  }
  return { state, published, pass, election, end: () => end }
}

test('a plan is made once the problem has been still for a moment; one at a time, and one that fails again after a rest', () => {
  const { state, published, pass, end } = open()
  pass(3)
  expect(state.asked).toBe(0)
  expect(state.expected).toBe(3) // whoever makes it may get ready meanwhile
  pass(10)
  expect(state.asked).toBe(1)
  end().failed()
  pass(15)
  expect(state.asked).toBe(1)
  pass(10)
  expect(state.asked).toBe(2)
  end().made()
  expect(published).toEqual([{ epoch: epochOf(1, 1), planner: B, ...outcome }])
  state.memory = 2
  pass(10)
  end().made()
  expect(published.map(({ epoch }) => epoch)).toEqual([epochOf(1, 1), epochOf(1, 2)])
})

test('of what was planned nothing comes where somebody else leads by then', () => {
  const { state, published, pass, election, end } = open()
  pass(10)
  state.staying = [A, B]
  election.tick()
  end().made()
  expect(published).toEqual([])
})

test('whoever has just come waits three seconds for others to say what they carry', () => {
  const { state, pass } = open()
  state.known = false
  pass(25)
  expect(state.asked).toBe(0)
  pass(20)
  expect(state.asked).toBe(1)
})

test('a plan that takes long is preceded by a stopgap, where a placement is owed: once, of all that has to be somewhere', () => {
  const { state, published, pass, end } = open()
  state.owes = true
  pass(50)
  expect(published).toEqual([])
  pass(20)
  expect(published).toEqual([{ epoch: epochOf(1, 1), planner: B, ...outcome }])
  pass(50)
  end().made()
  expect(published.map(({ epoch }) => epoch)).toEqual([epochOf(1, 1), epochOf(1, 2)])
})

test('a stopgap leaves what is carried in its place, and names who has come', () => {
  const { state, published, pass, end } = open()
  pass(10)
  end().made()
  state.memory = 2
  state.come = [A]
  state.owes = true
  pass(70)
  expect([...published[1]!.placement]).toEqual([...outcome.placement, [A, new Map()]])
})
