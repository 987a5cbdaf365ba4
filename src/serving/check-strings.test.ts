import { expect, test } from 'vitest'
import { withLengths } from '../runtime/engine/string-elements.ts'
import { checkStrings } from './check-strings.ts'

const check = (...elements: readonly (string | Uint8Array)[]) => {
  const bytes = elements.map(element => (typeof element === 'string' ? Buffer.from(element) : element))
  return () => checkStrings('s', [2], withLengths(bytes))
}

test('text is taken, whatever its language', () => {
  expect(check('', '文字😀 größer\n')).not.toThrow()
})

test('bytes that ONNX Runtime would alter are refused with which element has them', () => {
  expect(check('a', 'b\0c')).toThrow("input 's' has a NUL in element 1 of BYTES")
  expect(check(Uint8Array.of(0xff, 0xd8), 'a')).toThrow("input 's' has no UTF-8 in element 0 of BYTES")
  expect(check('a', Uint8Array.of(0xed, 0xa0, 0x80))).toThrow('no UTF-8 in element 1')
})

test('elements are as many as the shape says, and end where the data end', () => {
  expect(check('a')).toThrow("input 's' has 1 elements of BYTES; its shape [2] has 2")
  for (const data of [Uint8Array.of(1, 0), Uint8Array.of(2, 0, 0, 0, 97)])
    expect(() => checkStrings('s', [2], data)).toThrow('has broken elements of BYTES')
})
