import { expect, test } from 'vitest'
import { epochOf, TERMS } from '../core/epoch.ts'
import { type DeviceId, deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { Election, type Vote } from './election.ts'
import type { NumberedPlacement } from './numbered-placement.ts'

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(deviceId) as [DeviceId, DeviceId, DeviceId, DeviceId]

const placed = (planner: DeviceId, term: number, number = 1): NumberedPlacement => ({
  ...{ epoch: epochOf(term, number), planner, placement: new Map(), unplaced: [] }
})

const vote = (id: DeviceId, elects?: DeviceId, follows?: readonly [number, DeviceId]): Vote => ({
  ...{ id, elects },
  follows: follows && { term: follows[0], planner: follows[1] }
})

/** As device `self` has it. */
const open = (self: DeviceId, others: readonly Vote[] = []) => {
  const state = {
    now: 0,
    others,
    current: undefined as NumberedPlacement | undefined,
    owed: new Set<DeviceId>(),
    cannot: new Set<DeviceId>()
  }
  const said: string[] = []
  const election = new Election({
    ...{ self, now: () => seconds(state.now), votes: () => state.others, current: () => state.current },
    staying: () =>
      [self, ...state.others.map(({ id }) => id)].sort().map(id => ({ id, canPlan: !state.cannot.has(id) })),
    ...{ owes: planner => state.owed.has(planner), say: text => said.push(text), nameOf: String }
  })
  const pass = (time: number): void => {
    for (const until = state.now + time; state.now < until; state.now += 0.1) election.tick()
  }
  election.tick()
  return { state, election, said, pass }
}

test('elected is whom half of the votes are for, one’s own among them; who has not voted does not count', () => {
  expect(open(A).election.isHere).toBe(true)
  expect(open(A, [vote(B)]).election.isHere).toBe(true)
  expect(open(A, [vote(B, B)]).election.isHere).toBe(true)
  expect(open(A, [vote(B, B), vote(C, B)]).election.isHere).toBe(false)
  expect(open(A, [vote(B, B), vote(C, A)]).election.isHere).toBe(true)
  const { election } = open(B, [vote(A, A), vote(C, A)])
  expect([election.elects, election.isElected(A), election.isElected(B), election.isElected(C)]).toEqual([
    A,
    true,
    false,
    false
  ])
})

test('a term is one more than what those who are there follow, and a number one more than the last', () => {
  const { state, election } = open(A, [vote(B, A)])
  expect(election.nextEpoch()).toBe(epochOf(1, 1))
  state.current = placed(A, 1, 7)
  expect(election.nextEpoch()).toBe(epochOf(1, 8))
  state.others = [vote(B, A, [4, B]), vote(C, A, [1, A])]
  expect([election.nextEpoch(), election.mustBeginAnew()]).toEqual([epochOf(5, 1), false]) // it has just begun one
  state.now = 5
  expect(election.mustBeginAnew()).toBe(true)
  state.others = [vote(B, A, [1, A])]
  expect(election.mustBeginAnew()).toBe(false)
  state.current = placed(A, 1, 999_999)
  expect(election.nextEpoch()).toBe(epochOf(2, 1))
})

test('what one member claims to follow moves nobody’s term far, whatever it is; what most follow does', () => {
  const { state, election } = open(A, [vote(B, A, [3, A]), vote(C, A, [2 ** 31, C]), vote(D, A, [3, A])])
  state.current = placed(A, 3)
  expect([election.nextEpoch(), election.mustBeginAnew()]).toEqual([epochOf(3, 2), false])
  state.current = undefined // it was started anew
  expect(election.nextEpoch()).toBe(epochOf(4, 1))
})

test('a term that is far from that before is refused; one that is near, of whoever is elected, is believed', () => {
  const { state, election } = open(B, [vote(A, A), vote(C, A)])
  state.current = placed(C, 5, 3)
  const judge = (planner: DeviceId, term: number, number?: number) => election.judge(placed(planner, term, number))
  expect([judge(A, 6), judge(A, 21), judge(A, 22), judge(A, TERMS - 1)]).toEqual(['newer', 'newer', 'jump', 'old'])
  expect([judge(A, 2 ** 31), judge(A, 4), judge(A, 5, 9), judge(C, 5, 4), judge(C, 5, 3)]).toEqual(
    ['jump', 'old', 'old', 'newer', 'old'] // within one term: only whose it is
  )
})

test('there is no last term: after it comes the first', () => {
  const { state, election } = open(A, [vote(B, A, [TERMS - 1, B])])
  state.current = placed(B, TERMS - 1, 3)
  expect(election.nextEpoch()).toBe(epochOf(0, 1))
  const other = open(B, [vote(A, A)])
  other.state.current = placed(B, TERMS - 1, 3)
  expect(other.election.judge(placed(A, 0))).toBe('newer')
})

test('who has just come believes what most others follow, and who was led far away comes back to it', () => {
  const { state, election } = open(D, [vote(A, A, [7, A]), vote(B, A, [7, A]), vote(C, A, [2 ** 31, C])])
  expect([election.judge(placed(A, 7)), election.judge(placed(A, 2 ** 31))]).toEqual(['newer', 'jump'])
  state.current = placed(C, 2 ** 30)
  expect(election.judge(placed(A, 7))).toBe('newer')
  state.others = [vote(A, A, [7, A])] // one alone could say anything
  expect(election.judge(placed(A, 7))).toBe('jump')
})

test('who believes nobody for a minute begins anew', () => {
  const { state, election, pass } = open(B, [vote(A, A, [7, A])])
  state.current = placed(C, 2 ** 30)
  state.owed.add(A).add(B)
  pass(59)
  expect(election.judge(placed(A, 7))).toBe('jump')
  pass(2)
  expect(election.judge(placed(A, 7))).toBe('newer')
})

test('a planner that owes a placement for longer than it may is passed over for a while, and said', () => {
  const { state, election, said, pass } = open(C, [vote(A, A), vote(B)])
  state.owed.add(A)
  pass(10)
  state.owed.clear() // in time
  pass(1)
  state.owed.add(A)
  pass(10)
  expect([election.elects, said]).toEqual([A, []])
  pass(2)
  expect(election.elects).toBe(B)
  expect(said).toEqual(['a is to plan and does not: others do, for 300 s'])
  pass(300)
  expect(election.elects).toBe(A)
})

test('however many it plans for, another plans within 30 s', () => {
  const crowd = Array.from({ length: 500 }, (_, i) => vote(deviceId(`x${i}`)))
  const { state, election, pass } = open(C, [vote(A, A), vote(B), ...crowd])
  state.owed.add(A)
  pass(24)
  expect(election.elects).toBe(A)
  pass(3)
  expect(election.elects).toBe(B)
})

test('where all are passed over all may again; one alone has nobody to leave it to', () => {
  const { state, election, pass } = open(B, [vote(A)])
  state.owed.add(A).add(B)
  pass(12)
  expect(election.elects).toBe(B)
  pass(12)
  expect(election.elects).toBe(A)
  const alone = open(A)
  alone.state.owed.add(A)
  alone.pass(30)
  expect([alone.election.elects, alone.said]).toEqual([A, []])
})
