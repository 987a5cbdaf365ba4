import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytes } from '../../src/core/units.ts'
import { openDevice } from '../../src/node/open-device.ts'
import { createEngine } from '../../src/runtime/engine/create-engine.ts'
import type { BlockRun } from '../../src/runtime/ports/engine.ts'
import { stateFolderOf } from '../../src/runtime/state/state-folder.ts'
import { POLICIES } from '../../src/scheduler/policies.ts'
import { spoiltEngine } from '../../src/testing/spoilt-engine.ts'
import { cam, checkSink, DATA, open } from '../cluster-of-tensors.ts'

// A device as others are, on real sockets, but what it computes is a few percent off.

const noisy = (run: BlockRun): BlockRun => {
  for (const { data } of run.outputs) {
    const values = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)
    for (const [i, value] of values.entries()) values[i] = value * (1 + 0.05 * Math.sin(i + 1))
  }
  return run
}

const openLiar = (name: string, home: string, invite: string) => {
  const options = { name, folder: stateFolderOf(name, join(home, name)), listen: ['127.0.0.1:0'], mdns: false }
  const where = { port: 0, anyPort: true, clusterKey: undefined, join: async () => [invite] }
  const parts = { createPolicy: POLICIES.confluence, memory: bytes(Number.POSITIVE_INFINITY), models: [] }
  const engine = spoiltEngine(createEngine({ threads: 1 }), noisy)
  return openDevice({ ...options, ...where, ...parts, engine }, { say: () => {}, event: () => {} })
}

test('of a source whose data are all audited no result is wrong, and the device that makes them is set aside by name', async () => {
  const { cam: source, sink, invite, home } = await open(['w1', 'w2'], { ready: 4, source: ['--audit', '1'] })
  await using liar = await openLiar('mallory', home, invite)
  await liar.device.start()
  await liar.cluster.announce()
  const caught = await source.status(({ audits }) => audits.setAside.length > 0)
  expect(caught.audits.setAside).toMatchObject([{ device: 'mallory', model: 'net', by: 'cam' }])
  expect(caught.setAside).toMatchObject([{ device: 'mallory', model: 'net' }])
  const deviation = await source.event('deviation')
  expect(deviation).toMatchObject({
    name: 'mallory',
    model: 'net',
    because: expect.stringMatching(/^what it made of block/)
  })
  await source.event('done')
  const { audits, losses } = await source.status(status => cam(status).completed === DATA)
  await checkSink(sink)
  expect(audits.done).toBeGreaterThan(DATA / 3)
  expect(losses).toMatchObject({ lost: 0, failed: 0 })
  expect(source.log()).toMatch(/mallory \(12D3\w+\) is set aside for \d+ s: it computes net otherwise than others/)
}, 480_000)
