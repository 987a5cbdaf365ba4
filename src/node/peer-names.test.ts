import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { PeerNames } from './peer-names.ts'

test('what a device says counts, and before that what it said in an earlier life', () => {
  const names = new PeerNames()
  const [porch, shed, stranger] = ['a', 'b', 'c'].map(deviceId) as [
    ReturnType<typeof deviceId>,
    ReturnType<typeof deviceId>,
    ReturnType<typeof deviceId>
  ]
  names.recall([
    { id: porch, name: 'porch', addresses: [] },
    { id: shed, name: 'shed', addresses: [] }
  ])
  names.heard(shed, 'barn')
  expect([porch, shed, stranger].map(id => names.of(id))).toEqual(['porch', 'barn', ''])
  expect([porch, shed, stranger].map(id => names.said(id))).toEqual([undefined, 'barn', undefined])
})
