import { expect, test } from 'vitest'
import { describeSystemError } from './describe-system-error.ts'

const refusal = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: some words, ${syscall}`), {
    code,
    syscall,
    ...(path === undefined ? {} : { path })
  })

test('one line says where, what in words, and in the words of the operating system', () => {
  expect(describeSystemError(refusal('ENOSPC', 'write'))).toBe(
    'the disk is full (ENOSPC, write); see to what the operating system refuses there, and try again'
  )
  expect(describeSystemError(refusal('EROFS', 'open', 's/device.lock'))).toMatch(
    /^s\/device\.lock: the file system is read-only \(EROFS, open\); /
  )
  expect(describeSystemError(refusal('EXDEV', 'rename', 'a'))).toMatch(/^a: EXDEV: some words, rename; /)
})
