import { expect, test } from 'vitest'
import { emulatedEnd, emulatedStart } from './lane-time.ts'

test('an emulated run begins when its device was free and its inputs were there, at most a turn of this machine ago', () => {
  expect(emulatedStart(990, 985, 1000)).toBe(990)
  expect(emulatedStart(985, 990, 1000)).toBe(990)
  expect(emulatedStart(985, undefined, 1000)).toBe(1000)
  expect(emulatedStart(300, 400, 1000)).toBe(950)
  expect(emulatedStart(985, 1010, 1000)).toBe(1000) // clocks of two threads
})

test('an emulated run ends in time when this machine got to it a turn later, and late when it did not', () => {
  expect(emulatedEnd(990, 1000)).toBe(990)
  expect(emulatedEnd(700, 1000)).toBe(950)
})
