import { expect, test } from 'vitest'
import { cleanTexts } from './clean-texts.ts'

test('texts become plain lines wherever they are; what is plain is not copied', () => {
  const dirty = { name: 'a\nb', list: [{ text: '\u001b[31mred\u202e' }, 7n], bytes: Uint8Array.of(10), none: undefined }
  expect(cleanTexts(dirty)).toEqual({ ...dirty, name: 'a b', list: [{ text: '[31mred' }, 7n] })
  expect(dirty.name).toBe('a\nb')
  const plain = { name: 'a b', list: [{ text: 'Straße 東京 🏠' }] }
  expect(cleanTexts(plain)).toBe(plain)
})
