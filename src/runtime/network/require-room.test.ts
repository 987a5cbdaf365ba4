import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { bytes, mebibytes } from '../../core/units.ts'
import { type DiskRoom, requireRoom } from './require-room.ts'

const disk =
  (free: number, total: number): DiskRoom =>
  async () => ({ free: mebibytes(free), total: mebibytes(total) })

test('a twentieth of a disk stays free, and of a large one a gibibyte', async () => {
  await requireRoom('/blobs', mebibytes(50), disk(100, 1000))
  await expect(requireRoom('/blobs', mebibytes(51), disk(100, 1000))).rejects.toMatchObject({
    ...{ code: 'ENOSPC', path: '/blobs' },
    message: '51.0 MiB more do not fit: 100 MiB are free there, and 50.0 MiB stay free'
  })
  await requireRoom('/blobs', mebibytes(976), disk(2000, 1e6))
  await expect(requireRoom('/blobs', mebibytes(977), disk(2000, 1e6))).rejects.toThrow('1.00 GiB stay free')
})

test('nothing always fits, and on a disk that says no size everything may', async () => {
  await requireRoom('/blobs', bytes(0), disk(1, 1000))
  await requireRoom('/blobs', mebibytes(1), disk(0, 0))
})

test('of this machine it is asked: a petabyte does not fit', async () => {
  await requireRoom(tmpdir(), bytes(1))
  await expect(requireRoom(tmpdir(), bytes(2 ** 50))).rejects.toThrow('more do not fit')
})
