import { expect, test } from 'vitest'
import { parseModelReference } from './model-reference.ts'

test.each([
  ['net', 'net', undefined],
  ['net@0123456789ab', 'net', '0123456789ab'],
  [`net@${'f'.repeat(64)}`, 'net', 'f'.repeat(64)],
  ['net@0123456789a', 'net@0123456789a', undefined],
  [`net@${'f'.repeat(65)}`, `net@${'f'.repeat(65)}`, undefined],
  ['net@0123456789AB', 'net@0123456789AB', undefined],
  ['net@v2', 'net@v2', undefined],
  ['net@v2@0123456789ab', 'net@v2', '0123456789ab'],
  ['@0123456789ab', '@0123456789ab', undefined],
  ['', '', undefined]
])('%s', (text, name, fingerprint) => {
  expect(parseModelReference(text)).toEqual({ name, fingerprint })
})
