import { expect, test } from 'vitest'
import { type AdmissionTerms, PATIENT_TERMS } from '../core/admission-terms.ts'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { World } from '../core/world.ts'
import { isStranded, longestExpected, SourceBook } from './source-book.ts'

const [home, shed] = ['home', 'shed'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>]

const served = seconds(0)

const open = (over: Partial<AdmissionTerms> = {}) => {
  const terms = { ...PATIENT_TERMS, ...over }
  const clock = { now: 0 }
  return { clock, book: new SourceBook({ self: home, now: () => seconds(clock.now), window: 4, terms }) }
}

/** Datum 0 goes out, and `shed` has it. @returns the dispatch */
const give = (book: SourceBook) => {
  const dispatch = { datum: 0, attempt: book.dispatched(0)! }
  book.custody(dispatch, shed)
  return dispatch
}

test('what is lost goes out again at once; what is let go after a pause, each time twice as long, five seconds at most', () => {
  const { book } = open()
  book.admit(0, false)
  expect(book.lost(give(book), shed)).toBe(0)
  const pauses = Array.from({ length: 7 }, () => book.lost(give(book), shed, 'letGo'))
  expect(pauses).toEqual([0.25, 0.5, 1, 2, 4, 5, 5])
  expect(book.lost({ datum: 0, attempt: 1 }, shed)).toBeUndefined() // of an earlier dispatch
})

test('until somebody says that he has it, a datum is at home', () => {
  const { book } = open()
  book.admit(0, false)
  book.dispatched(0)
  expect(book.ledger.deviceLost(shed)).toEqual([])
  expect(book.ledger.deviceLost(home)).toEqual([0])
})

test('a datum of which nothing is heard is sent again, not while it waits at home', () => {
  const { book, clock } = open()
  book.admit(0, false)
  give(book)
  clock.now = 2
  expect(book.overdue(seconds(0), () => false)).toEqual([])
  clock.now = 11
  expect(book.overdue(seconds(20), () => false)).toEqual([]) // it may take so long
  expect(book.overdue(seconds(0), () => true)).toEqual([])
  clock.now = 22
  expect(book.overdue(seconds(0), () => false)).toEqual([0])
  expect(book.dispatched(0)).toBe(2)
  expect(book.result({ datum: 0, attempt: 1, served })).toBe('first') // whichever dispatch it belongs to
  expect(book.result({ datum: 0, attempt: 2, served })).toBe('duplicate')
})

test('a window may have to pass through the slowest device that is there, and over the slowest link', () => {
  const world = new World()
  for (const [name, speed] of [
    ['a', 2],
    ['b', 0.5],
    ['c', 0.1]
  ] as const)
    world.addDevice(deviceId(name), speed)
  world.addModel({ id: modelId('m'), work: [seconds(1)], activations: [1, 1].map(bytes) })
  world.setUp(2, false)
  const costs = { work: seconds(3), largest: bytes(1e6) }
  expect(longestExpected(world, 4, costs)).toBe((2 * 4 * 3) / 0.5)
  world.setLink(0, 1, bytesPerSecond(1e6), seconds(0.5))
  expect(longestExpected(world, 4, costs)).toBe(2 * 4 * (3 / 0.5 + 1.5))
})

test('data of others that are refused ten times in a row are let go, own ones never', () => {
  expect([9, 10, 11].map(refusals => isStranded({ refusals, home: 1 }, 0))).toEqual([false, true, true])
  expect(isStranded({ refusals: 99, home: 0 }, 0)).toBe(false)
})

test('a datum under way is dropped at its deadline where that is agreed, and its result counts no more', () => {
  const { book, clock } = open({ deadline: seconds(2), late: 'cancel' })
  book.admit(0, false, seconds(0))
  clock.now = 1
  book.admit(1, false)
  const dispatches = [0, 1].map(datum => ({ datum, attempt: book.dispatched(datum)! }))
  expect(book.nextDeadline).toBe(2)
  expect(book.tooLate()).toEqual([])
  clock.now = 2
  expect(book.tooLate()).toEqual([0])
  expect([book.tooLate(), book.nextDeadline]).toEqual([[], 3])
  expect(dispatches.map(dispatch => book.result({ ...dispatch, served }))).toEqual(['duplicate', 'first'])
  clock.now = 9
  expect([book.tooLate(), book.nextDeadline]).toEqual([[], undefined])
  for (const datum of [0, 1]) book.ledger.written(datum)
  expect(book.ledger.counts()).toMatchObject({ admitted: 2, done: 1, dropped: 1, outstanding: 0 })
})

test('where a late datum is finished, nothing is dropped under way', () => {
  const { book, clock } = open({ deadline: seconds(2) })
  book.admit(0, false)
  clock.now = 9
  expect([book.tooLate(), book.nextDeadline]).toEqual([[], undefined])
})

test('what a datum is expected to take is what nearly all took; one that was cancelled took at least so long', () => {
  const { book, clock } = open({ deadline: seconds(5), late: 'cancel' })
  expect(book.expects).toBe(0)
  book.admit(0, false)
  const first = { datum: 0, attempt: book.dispatched(0)!, served }
  clock.now = 1
  book.result(first)
  expect(book.expects).toBe(2) // 1 s, give or take half
  book.admit(1, false)
  book.dispatched(1)
  clock.now = 6
  book.tooLate()
  expect(book.expects).toBeGreaterThan(2)
})
