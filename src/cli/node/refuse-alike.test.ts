import { expect, test } from 'vitest'
import { refuseAlike } from './refuse-alike.ts'

test('sources whose files would be one on some file system are refused, others not', () => {
  expect(() => refuseAlike(['cam', 'door', 'cam'])).toThrow('--source cam: another source has that name')
  expect(() => refuseAlike(['Cam', 'cam'])).toThrow('--source cam: is the same as Cam on some file systems')
  expect(() => refuseAlike(['tür', 'tu\u0308r'])).toThrow('is the same as tür on some file systems')
  expect(() => refuseAlike(['cam', 'cam2', 'càm'])).not.toThrow()
})
