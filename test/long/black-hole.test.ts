import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytes } from '../../src/core/units.ts'
import { createDevice } from '../../src/runtime/device/device.ts'
import { createEngine } from '../../src/runtime/engine/create-engine.ts'
import { identitySigner } from '../../src/runtime/network/identity-signer.ts'
import { nodeHash } from '../../src/runtime/node-hash.ts'
import { nodeRandom } from '../../src/runtime/node-random.ts'
import type { Network, NetworkHandlers } from '../../src/runtime/ports/network.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { POLICIES } from '../../src/scheduler/policies.ts'
import { cam, checkSink, DATA, open } from '../cluster-of-tensors.ts'
import { memberNetwork } from '../hostile-member.ts'

// A device that loads its blocks as any other, takes every task, and never answers; on real sockets.

test('a member that takes data and returns none has few of them, and the others compute all', async () => {
  const { cam: source, sink, invite, home } = await open(['w1'], { ready: 3 })
  const { network, identity, blobs, join: joinAll } = await memberNetwork(invite, join(home, 'blobs'))
  let taken = 0
  const start = network.start.bind(network)
  const swallows: Network = Object.assign(network, {
    start: (handlers: NetworkHandlers) =>
      start({
        ...handlers,
        onTask: () => {
          taken++
          return { kind: 'accepted' }
        }
      })
  })
  await using device = createDevice({
    ...{ name: 'hole', clock: systemClock, network: swallows, engine: createEngine(), blobs, models: [] },
    ...{ random: nodeRandom, hash: nodeHash, signer: identitySigner(identity), createPolicy: POLICIES.confluence },
    ...{ incarnation: 1, memory: bytes(Number.POSITIVE_INFINITY), emulated: false, say: () => {}, event: () => {} }
  })
  await device.start()
  joinAll()
  const done = await source.status(s => cam(s)?.completed === DATA)
  await source.event('done')
  await checkSink(sink)
  expect(cam(done)).toMatchObject({ lost: 0, failed: 0 })
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThan(DATA / 4)
}, 240_000)
