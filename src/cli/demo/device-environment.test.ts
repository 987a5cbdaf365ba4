import { expect, test } from 'vitest'
import { deviceEnvironment } from './device-environment.ts'

test('who lives long gets pages for each tensor, unless the user has said otherwise; others have the environment as it is', () => {
  const own = { HOME: '/home/me' }
  expect(deviceEnvironment(own, false)).toEqual(own)
  expect(deviceEnvironment(own, true)).toMatchObject({ ...own, MALLOC_MMAP_THRESHOLD_: '131072' })
  const set = { MALLOC_MMAP_THRESHOLD_: '1' }
  expect(deviceEnvironment(set, true)).toMatchObject(set)
})
