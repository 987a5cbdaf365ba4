import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { AuditSuspects } from './audit-suspects.ts'

const [a, b, c, liar] = ['a', 'b', 'c', 'liar'].map(deviceId) as [never, never, never, never]

test('who computed it is to blame, whoever received it', () => {
  const suspects = new AuditSuspects()
  expect(suspects.deviates(liar, undefined)).toBe(liar)
  for (const receiver of [a, b, c]) expect(suspects.deviates(liar, receiver)).toBe(liar)
})

test('who says of device after device that it was given something wrong is to blame itself', () => {
  const suspects = new AuditSuspects()
  expect(suspects.deviates(a, liar)).toBe(a)
  expect(suspects.deviates(b, liar)).toBe(b)
  expect(suspects.deviates(c, liar)).toBe(liar)
  expect(suspects.deviates(a, liar)).toBe(liar)
  suspects.forget(liar)
  expect(suspects.deviates(a, liar)).toBe(a)
})

test('devices that are known to be wrong do not count against who received it from them', () => {
  const suspects = new AuditSuspects()
  suspects.deviates(a, undefined)
  suspects.deviates(b, liar)
  for (const device of [a, b]) suspects.deviates(device, c)
  expect(suspects.deviates(deviceId('d'), c)).toBe('d')
})

test('who keeps no more what it was given is not to blame for what is wrong, unless it is so again and again after different ones', () => {
  const suspects = new AuditSuspects()
  const after = (...others: readonly never[]): boolean[] => others.map(other => suspects.hides(b, other))
  expect(after(a, a, a, a)).toEqual([false, false, false, false]) // one of the two
  expect(after(c)).toEqual([true])
  suspects.forget(b)
  expect(after(a, c, a)).toEqual([false, false, true])
  suspects.forget(b)
  expect(after(b, b, b)).toEqual([false, false, true]) // nobody had it but by this one
})
