import { expect, test } from 'vitest'
import { emulatedEnd, emulatedStart } from './emulated-time.ts'

test('an emulated run begins when its device was free and its inputs were there, at most a turn of this machine ago', () => {
  expect(emulatedStart(0.99, 0.985, 1)).toBe(0.99)
  expect(emulatedStart(0.985, 0.99, 1)).toBe(0.99)
  expect(emulatedStart(0.985, undefined, 1)).toBe(1)
  expect(emulatedStart(0.3, 0.4, 1)).toBe(0.95)
  expect(emulatedStart(0.985, 1.01, 1)).toBe(1) // said by another clock
  expect(emulatedStart(1.0004, 0.9, 1)).toBe(1.0004) // a timer that fired early
})

test('an emulated run ends in time when this machine got to it a turn later, and late when it did not', () => {
  expect(emulatedEnd(0.99, 1)).toBe(0.99)
  expect(emulatedEnd(0.7, 1)).toBe(0.95)
  expect(emulatedEnd(1.0004, 1)).toBe(1.0004) // a timer that fires early
})
