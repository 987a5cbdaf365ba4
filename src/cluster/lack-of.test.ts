import { expect, test } from 'vitest'
import { lackOf } from './lack-of.ts'

test.each([
  [
    { kind: 'cannot', because: 'it needs the model whole' } as const,
    { kind: 'policy', because: 'it needs the model whole' }
  ],
  [{ kind: 'wait', block: 2 } as const, { kind: 'carrier', block: 2 }],
  [{ kind: 'wait', block: 3 } as const, { kind: 'wayHome' }]
])('of a model of three blocks, what waits because of %o lacks %o', (because, lack) => {
  expect(lackOf(because, 3)).toEqual(lack)
})
