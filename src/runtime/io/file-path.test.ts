import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inFolder, nameBytes, shownName, shownPath, withEnding } from './file-path.ts'

const latin1 = Buffer.from([0x66, 0xe9, 0x2e, 0x70])

test('a name that is UTF-8 is itself; other bytes are told by their numbers', () => {
  expect(shownName(Buffer.from('fé 日.png'))).toBe('fé 日.png')
  expect(shownName(latin1)).toBe('f\\xe9.p')
  expect(shownName(Buffer.from([0xff]))).not.toBe(shownName(Buffer.from([0xfe])))
  // Cut off in the middle of a character, too long for what it says, half of a surrogate pair: none of them is UTF-8.
  expect(shownName(Buffer.from([0xe6, 0x97]))).toBe('\\xe6\\x97')
  expect(shownName(Buffer.from([0xc0, 0xaf]))).toBe('\\xc0\\xaf')
  expect(shownName(Buffer.from([0xed, 0xa0, 0x80]))).toBe('\\xed\\xa0\\x80')
})

test('a name that looks as if bytes were told is told apart from one of which they are', () => {
  expect(shownName(Buffer.from('f\\xe9.p'))).toBe('f\\x5cxe9.p')
  expect(shownName(Buffer.from('a\\b'))).toBe('a\\b')
})

test('every name can be read back from what is shown of it, so no two look the same', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 6 }).map(bytes => Buffer.from(bytes)),
    fc.constantFrom('\\', 'x', '\\x5c', '\\xe9', 'é', '日', '😀', 'c', '9').map(text => Buffer.from(text))
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), pieces => {
      const name = Buffer.concat(pieces)
      expect(nameBytes(shownName(name)).equals(name)).toBe(true)
    })
  )
})

test('paths keep the bytes of names', () => {
  const path = inFolder('/images', latin1)
  expect(path).toEqual(Buffer.concat([Buffer.from('/images/'), latin1]))
  expect(withEnding(path, '.npy')).toEqual(Buffer.concat([Buffer.from('/images/'), latin1, Buffer.from('.npy')]))
  expect(shownPath(path)).toBe('/images/f\\xe9.p')
  expect(inFolder('./a/../b', Buffer.from('c.png'))).toBe(join('b', 'c.png'))
})
