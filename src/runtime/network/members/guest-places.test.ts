import { expect, test } from 'vitest'
import { type DeviceId, deviceId } from '../../../core/ids.ts'
import type { Member } from '../admission.ts'
import { hasGuestPlace, MOST_BY_MEMBER, MOST_BY_TICKET } from './guest-places.ts'

const some = (count: number, by: Partial<Member>): Member[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ peer: deviceId(`g${i}`), role: 'guest' as const, incarnation: 1n, mayAdmit: false },
    ...by
  }))
const one = (by: Partial<Member>): Member => ({ ...some(1, by)[0]!, peer: deviceId('late') })
const [M, OTHER]: DeviceId[] = ['m', 'other'].map(deviceId)

test('of one member so many may look or ask at once, and of another one as many more', () => {
  const here = some(MOST_BY_MEMBER, { vouchedBy: M! })
  expect(hasGuestPlace(one({ vouchedBy: M! }), here)).toBe(false)
  expect(hasGuestPlace(one({ vouchedBy: M!, role: 'observer' }), here)).toBe(false)
  expect(hasGuestPlace(one({ vouchedBy: OTHER! }), here)).toBe(true)
  expect(hasGuestPlace(one({ vouchedBy: M! }), here.slice(1))).toBe(true)
  expect(hasGuestPlace({ ...one({ vouchedBy: M! }), peer: deviceId('g0') }, here)).toBe(true) // another connection of it
})

test('who comes by an invite without a member’s word is counted by that invite; devices and holders of the key are not', () => {
  const here = some(MOST_BY_TICKET, { ticket: 't' })
  expect(hasGuestPlace(one({ ticket: 't' }), here)).toBe(false)
  expect(hasGuestPlace(one({ ticket: 'u' }), here)).toBe(true)
  expect(hasGuestPlace(one({ ticket: 't', role: 'device' }), here)).toBe(true)
  expect(hasGuestPlace(one({ mayAdmit: true }), some(1000, { mayAdmit: true }))).toBe(true)
})
