import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { PeerCredit } from './peer-credit.ts'

const [B, C] = [deviceId('b'), deviceId('c')]
const WINDOW = 8

/** How many more of a window a device gets, once something that went out later has come back from elsewhere. */
const room = (credit: PeerCredit, at: number, first: number): number => {
  for (let n = 0; n < 100; n++) {
    credit.returned(-1, seconds(-1), seconds(at))
    if (credit.full(WINDOW, seconds(at)).has(B)) return n
    credit.given(first + n, B, seconds(at))
  }
  return 100
}

test('who has returned nothing gets a quarter of a window; each that comes back is one more, up to two windows', () => {
  const credit = new PeerCredit()
  expect(room(credit, 0, 0)).toBe(2)
  for (const datum of [0, 1]) credit.returned(datum, seconds(0.1), seconds(0.1))
  expect(room(credit, 0.1, 10)).toBe(4)
  for (let datum = 10; datum < 14; datum++) credit.returned(datum, seconds(0.1), seconds(0.2))
  expect(room(credit, 0.2, 20)).toBe(8)
  for (let datum = 100; datum < 200; datum++) {
    credit.given(datum, B, seconds(0.2))
    credit.returned(datum, seconds(0.1), seconds(0.3))
  }
  expect(room(credit, 0.3, 300)).toBe(2 + 2 * WINDOW - 8)
})

test('whose data come back in their turn is not held up', () => {
  const credit = new PeerCredit()
  credit.given(-1, B, seconds(0))
  credit.returned(-1, seconds(0.9), seconds(0.9))
  for (let datum = 0; datum < 20; datum++) credit.given(datum, B, seconds(1))
  expect(credit.full(WINDOW, seconds(2)).size).toBe(0)
  credit.returned(100, seconds(1.5), seconds(2)) // went out before
  expect(credit.full(WINDOW, seconds(2)).size).toBe(0)
  credit.returned(101, seconds(0.5), seconds(2)) // has overtaken them
  expect([...credit.full(WINDOW, seconds(2))]).toEqual([B])
})

test('who has returned nothing has a few, also where nothing overtakes them', () => {
  const credit = new PeerCredit()
  for (let datum = 0; datum < 9; datum++) credit.given(datum, C, seconds(0))
  expect(credit.full(WINDOW, seconds(0)).size).toBe(0) // of nobody anything is known
  credit.returned(0, seconds(0.1), seconds(0.1))
  credit.given(10, B, seconds(0.2))
  expect(credit.full(WINDOW, seconds(0.2)).size).toBe(0)
  credit.given(11, B, seconds(0.2))
  expect([...credit.full(WINDOW, seconds(0.2))]).toEqual([B])
  credit.returned(10, seconds(0.1), seconds(0.3))
  expect(credit.full(WINDOW, seconds(0.3)).has(B)).toBe(false)
})

test('who has returned many and then none has its share soon, also where nothing overtakes them', () => {
  const credit = new PeerCredit()
  for (let datum = 0; datum < 50; datum++) {
    credit.given(datum, B, seconds(datum / 10))
    credit.returned(datum, seconds(0.1), seconds((datum + 1) / 10))
  }
  for (let datum = 50; datum < 60; datum++) credit.given(datum, B, seconds(datum / 10))
  expect(credit.full(WINDOW, seconds(5.4)).has(B)).toBe(false)
  expect(credit.full(WINDOW, seconds(6)).has(B)).toBe(true)
})

test('each that is late halves it, and what comes back then counts anew', () => {
  const credit = new PeerCredit()
  for (let datum = 0; datum < 14; datum++) {
    credit.given(datum, B, seconds(0))
    credit.returned(datum, seconds(0.1), seconds(0.1))
  }
  const late = [0, 1, 2, 3].map(datum => {
    credit.given(datum, B, seconds(1))
    return credit.late(datum, seconds(4 + datum))
  })
  expect(late.map(one => [one?.device, one?.inARow, one?.silentFor])).toEqual([1, 2, 3, 4].map(n => [B, n, 2 + n]))
  expect(room(credit, 1, 100)).toBe(1)
  credit.returned(100, seconds(0.1), seconds(1.1))
  credit.given(200, B, seconds(1.1))
  expect(credit.late(200, seconds(3.1))).toEqual({ device: B, inARow: 1, isOvertaken: true, silentFor: 2 })
  credit.given(201, B, seconds(9)) // nothing that went out later has come back from anybody
  expect(credit.late(201, seconds(11))).toMatchObject({ device: B, inARow: 2, isOvertaken: false })
})

test('a device that is silent for longer than it takes has its share and no more, until something comes', () => {
  const credit = new PeerCredit()
  for (let datum = 0; datum < 50; datum++) {
    credit.given(datum, B, seconds(0))
    credit.returned(datum, seconds(0.2), seconds(datum / 10))
  }
  for (let datum = 50; datum < 55; datum++) credit.given(datum, B, seconds(5))
  credit.returned(100, seconds(0.2), seconds(5.3))
  expect(credit.full(WINDOW, seconds(5.4)).has(B)).toBe(false)
  expect(credit.full(WINDOW, seconds(6)).has(B)).toBe(true)
  credit.returned(50, seconds(1), seconds(6))
  expect(credit.full(WINDOW, seconds(6.1)).has(B)).toBe(false)
})

test('what is passed on is with the next, and both are trusted for it when it comes back', () => {
  const credit = new PeerCredit()
  for (const datum of [0, 1]) credit.given(datum, B, seconds(0))
  credit.returned(-1, seconds(-1), seconds(0))
  expect([...credit.full(WINDOW, seconds(0))]).toEqual([B])
  for (const datum of [0, 1]) credit.given(datum, C, seconds(0.1))
  expect([...credit.full(WINDOW, seconds(0.1))]).toEqual([C])
  credit.given(0, C, seconds(0.2)) // said again
  for (const datum of [0, 1]) credit.returned(datum, seconds(0.3), seconds(0.3))
  expect(room(credit, 0.3, 10)).toBe(4)
})

test('of a small window half is risked at most, and one where it is one', () => {
  for (const [window, most] of [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [16, 4]
  ] as const) {
    const credit = new PeerCredit()
    credit.given(-1, C, seconds(0))
    credit.returned(-1, seconds(0), seconds(0))
    let given = 0
    while (!credit.full(window, seconds(0)).has(B)) credit.given(given++, B, seconds(0))
    expect([window, given]).toEqual([window, most])
  }
})

test('what is on its way to a device counts as there; who has returned nothing is to blame where it never arrived, and not who was to pass it on', () => {
  const credit = new PeerCredit()
  credit.given(-1, B, seconds(0))
  credit.returned(-1, seconds(0.1), seconds(0.1))
  for (const datum of [0, 1]) {
    credit.planned(datum, [B, C])
    credit.given(datum, B, seconds(0.2))
  }
  expect([credit.with(B), credit.with(C)]).toEqual([2, 2])
  expect([...credit.full(WINDOW, seconds(0.2))]).toEqual([C])
  expect(credit.late(0, seconds(3))).toMatchObject({ device: C, inARow: 1 })
  expect([...credit.silent().keys()]).toEqual([C])
  expect([3, 12.9, 13].map(at => credit.isShunned(C, seconds(at)))).toEqual([true, true, false])
  credit.given(1, C, seconds(3))
  credit.returned(1, seconds(3), seconds(3.2))
  expect([credit.with(B), credit.with(C), credit.silent().size]).toEqual([0, 0, 0])
  credit.planned(2, [B, C])
  credit.given(2, B, seconds(3.2))
  expect(credit.late(2, seconds(6))).toMatchObject({ device: B }) // both have returned some: who had it last
})
