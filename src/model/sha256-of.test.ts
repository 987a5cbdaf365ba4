import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { sha256Of } from './sha256-of.ts'

test('the hash that any tool computes, while others have their turn', async () => {
  for (const size of [0, 1, 1 << 23, (1 << 23) + 1, 20_000_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251)
    expect(await sha256Of(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'))
  }
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  await sha256Of(new Uint8Array(200_000_000))
  clearInterval(counting)
  expect(turns).toBeGreaterThan(1)
})
