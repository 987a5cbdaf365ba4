import { expect, test } from 'vitest'
import { deviceId } from '../../../core/ids.ts'
import type { Member } from '../admission.ts'
import { payerOf } from './payer-of.ts'

const member = (parts: Partial<Member>): Member => ({
  ...{ peer: deviceId('mallory'), role: 'guest', incarnation: 1n, mayAdmit: false },
  ...parts
})

test('guests pay with those by whom they came, under whatever identity; who is a device or has the key pays alone', () => {
  const [a, b] = ['a', 'b'].map(deviceId) as [never, never]
  const vouchedBy = deviceId('shed')
  expect([a, b].map(peer => payerOf(member({ peer, vouchedBy })))).toEqual(['guests of shed', 'guests of shed'])
  expect(payerOf(member({ peer: a, role: 'observer', vouchedBy }))).toBe('guests of shed')
  const ticket = '0123456789abcdef'
  expect([a, b].map(peer => payerOf(member({ peer, ticket })))).toEqual(
    Array(2).fill('guests by the invite 0123456789ab')
  )
  expect([payerOf(member({ peer: a, role: 'device', vouchedBy })), payerOf(member({ peer: b }))]).toEqual(['a', 'b'])
})
