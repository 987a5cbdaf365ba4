import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openHostileDevice } from '../../src/testing/hostile-device.ts'
import { cam, checkSink, DATA, open } from '../cluster-of-tensors.ts'

// A device that loads its blocks as any other, takes every task, and never answers; on real sockets.

test('a member that takes data and returns none has few of them, and the others compute all', async () => {
  const { cam: source, sink, invite, home } = await open(['w1'], { ready: 3 })
  let taken = 0
  await using _ = await openHostileDevice(invite, join(home, 'blobs'), {
    name: 'hole',
    takes: () => {
      taken++
      return { kind: 'accepted' }
    },
    parts: { place: undefined }
  })
  const done = await source.status(s => cam(s)?.completed === DATA)
  await source.event('done')
  await checkSink(sink)
  expect(cam(done)).toMatchObject({ lost: 0, failed: 0 })
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThan(DATA / 4)
}, 240_000)
