import { expect, test } from 'vitest'
import { BacklogSign } from './backlog-sign.ts'

test('a source whose data are there is slowed by the network, also while its window fills for the first time', () => {
  const sign = new BacklogSign(4)
  for (const room of [3, 2, 1, 0]) {
    sign.admitted(room, false)
    expect(sign.isBacklogged).toBe(true)
  }
})

test('a source that waits for its first datum is not', () => {
  const sign = new BacklogSign(4)
  sign.admitted(3, true)
  expect(sign.isBacklogged).toBe(false)
  sign.admitted(2, false)
  expect(sign.isBacklogged).toBe(false)
})

test('a window that never fills is no backlog', () => {
  const sign = new BacklogSign(4)
  const seen = [3, 3, 3, 3].map(room => {
    sign.admitted(room, false)
    return sign.isBacklogged
  })
  expect(seen).toEqual([true, true, true, false])
})

test('results that come home together are no end of a backlog', () => {
  const sign = new BacklogSign(4)
  sign.admitted(0, false)
  for (const room of [2, 1, 0, 1, 0]) {
    sign.admitted(room, false)
    expect(sign.isBacklogged).toBe(true)
  }
})

test('a source that waits for its own data, or a window that is mostly empty, is', () => {
  const waits = new BacklogSign(4)
  waits.admitted(0, false)
  waits.admitted(1, true)
  expect(waits.isBacklogged).toBe(false)
  const empty = new BacklogSign(4)
  for (const room of [3, 2, 1, 0]) empty.admitted(room, false)
  empty.admitted(3, false)
  expect(empty.isBacklogged).toBe(false)
})

test('a datum that fills the window is in a backlog though the source waited for it', () => {
  const sign = new BacklogSign(1)
  sign.admitted(0, true)
  expect(sign.isBacklogged).toBe(true)
})
