import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { systemErrorOf } from './system-error-of.ts'

const refused = async (): Promise<unknown> => open('/nowhere/at/all', 'r').catch(error => error)

test("the operating system's refusal is found, also as a cause and as what was thrown before closing failed too", async () => {
  const error = await refused()
  expect(systemErrorOf(error)).toMatchObject({ code: 'ENOENT', syscall: 'open', path: '/nowhere/at/all' })
  expect(systemErrorOf(new Error('could not', { cause: error }))).toBe(error)
  const closing = Object.assign(new Error('closing failed too'), { error: new Error('closing'), suppressed: error })
  expect(systemErrorOf(closing)).toBe(error)
})

test('an error of the program is none', () => {
  expect(systemErrorOf(new TypeError('x is not a function'))).toBeUndefined()
  expect(systemErrorOf(Object.assign(new Error('bad'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined()
  expect(systemErrorOf('text')).toBeUndefined()
  const circle = new Error('a')
  circle.cause = circle
  expect(systemErrorOf(circle)).toBeUndefined()
})
