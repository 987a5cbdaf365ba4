import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { describeTwins } from './describe-twins.ts'

const self = deviceId('12D3KooWself0001')
const other = deviceId('12D3KooWother002')
const context = { self, state: '/var/lib/shed', nameOf: () => 'shed' }
const at = (incarnation: bigint, address: string) => ({ incarnation, address })

test('who has to go is told what to remove, who stays and all others which one it is', () => {
  const here = at(1n, 'this device')
  const there = at(2n, '10.0.0.7')
  expect(describeTwins({ peer: self, stays: there, goes: here }, context)).toMatch(
    /at 10\.0\.0\.7, has the identity of this one.*remove \/var\/lib\/shed\/identity\.key, start it again/
  )
  expect(describeTwins({ peer: self, stays: here, goes: there }, context)).toMatch(
    /This one stays; the other is left out/
  )
  expect(describeTwins({ peer: other, stays: at(1n, '10.0.0.6'), goes: there }, context)).toMatch(
    /two devices have the identity \.\.\.other002 \(shed\), one at 10\.0\.0\.6 and one at 10\.0\.0\.7.*The one at 10\.0\.0\.7 is left out until identity\.key is removed/
  )
})
