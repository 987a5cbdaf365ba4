import { expect, test } from 'vitest'
import { blockHash } from '../core/ids.ts'
import { mebibytes } from '../core/units.ts'
import { ownerRoomFault } from './owner-room.ts'

const [A, B, C] = ['a', 'b', 'c'].map(blockHash) as [
  ReturnType<typeof blockHash>,
  ReturnType<typeof blockHash>,
  ReturnType<typeof blockHash>
]
const kept = new Map([
  [A, mebibytes(40)],
  [B, mebibytes(20)]
])
const here = { kept, room: mebibytes(100) }

test('an owner has three quarters of the room for blocks at most; what others have does not count', () => {
  expect(ownerRoomFault(C, mebibytes(35), [A, C], here)).toBeUndefined()
  expect(ownerRoomFault(C, mebibytes(36), [A, C], here)).toBe(
    'its owner has 40.0 MiB of blocks here and would have 36.0 MiB more; of one owner are at most 75.0 MiB, three quarters of what there is for blocks'
  )
  expect(ownerRoomFault(C, mebibytes(75), [C], here)).toBeUndefined()
})

test('what two of its models share counts once, and what has come of the block itself is part of it', () => {
  expect(ownerRoomFault(A, mebibytes(55), [A, B, B], here)).toBeUndefined()
  expect(ownerRoomFault(A, mebibytes(56), [A, B, B], here)).toMatch(/^its owner has 20.0 MiB/)
})
