import { expect, test } from 'vitest'
import { RecentBytes } from './recent-bytes.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (found: Uint8Array | undefined): string | undefined =>
  found === undefined ? undefined : new TextDecoder().decode(found)

test('the last lines are known by where they are, the oldest go', () => {
  const recent = new RecentBytes(10)
  recent.put(100, bytes('aaa\n'))
  recent.put(104, bytes('bbb\n'))
  expect([recent.start, recent.end]).toEqual([100, 108])
  recent.put(108, bytes('ccc\n'))
  expect([recent.start, recent.end]).toEqual([104, 112])
  expect(text(recent.slice(105, 110))).toBe('bb\ncc')
  expect([recent.slice(103, 110), recent.slice(105, 113)]).toEqual([undefined, undefined])
})

test('lines from a place begin with the one that it is in, or with the next when it is at an end', () => {
  const recent = new RecentBytes()
  recent.put(10, bytes('aaa\nbbb\n'))
  expect([10, 12, 14, 15, 18].map(at => text(recent.linesFrom(at)))).toEqual([
    ...['aaa\nbbb\n', 'aaa\nbbb\n', 'bbb\n', 'bbb\n', '']
  ])
})

test('what is written elsewhere than behind the last takes the place of what is there', () => {
  const recent = new RecentBytes()
  recent.put(0, bytes('aaa\nbbb\n'))
  recent.put(4, bytes('ccc\n'))
  expect(text(recent.slice(0, 8))).toBe('aaa\nccc\n')
  recent.put(100, bytes('ddd\n'))
  expect([recent.start, recent.end]).toEqual([100, 104])
  recent.cut(0)
  expect([recent.start, recent.end]).toEqual([0, 0])
})
