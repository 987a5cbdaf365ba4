import { expect, test } from 'vitest'
import { plainLog } from './plain-log.ts'

test("what other devices write forges no line, does nothing to a terminal, and has a message's length at most", () => {
  const said: (readonly [string, string | undefined])[] = []
  const log = plainLog({ say: (text, level) => said.push([text, level]), event: () => {} })
  log.say('x reset our y\n2026-01-01T00:00:00.000Z info cam: all is well\u001b[2J\u2028over', 'warn')
  log.say('a'.repeat(16_000_000))
  expect(said[0]).toEqual(['x reset our y 2026-01-01T00:00:00.000Z info cam: all is well [2J over', 'warn'])
  expect(said[1]![0]).toHaveLength(4000)
})
