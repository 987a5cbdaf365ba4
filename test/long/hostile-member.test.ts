import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { deviceId } from '../../src/core/ids.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import { introduced, openHostileMember } from '../../src/testing/hostile-member.ts'
import { cam, checkSink, DATA, open } from '../cluster-of-tensors.ts'

// A process that has the invite, and does not do as devices do, on real sockets.

test('a member that invents placements and results ends nothing and gets nothing recorded; newcomers are planned for', async () => {
  const slow = ['--speed', '0.01']
  const { cam: source, sink, invite, home, join: start } = await open(['w1'], { source: slow, worker: slow })
  await using member = await openHostileMember(invite, join(home, 'blobs'))
  await introduced(member, 2)
  const { network, models } = member
  const running = await source.status(s => cam(s).completed >= 3)
  const owner = deviceId(running.devices.find(({ name }) => name === 'cam')!.id)
  const [model] = [...models] as [string]
  const { blocks, activations } = await member.manifestOf(owner, model)
  const tensors = activations.at(-1)!.tensors.map(({ name, shape }) => {
    const dims = shape.map(({ size }) => (size.case === 'value' ? Number(size.value) : 1))
    const data = new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)).fill(63)
    return { name, type: 'float32' as const, dims, data }
  })
  for (const peer of network.peers().keys())
    network.notify(peer, notice('placement', { term: 2 ** 32 - 1, number: 999_999, planner: network.self, models: [] }))
  const answers = await Promise.all(
    Array.from({ length: DATA }, (_, datum) => {
      const about = { source: 'cam@cam', datum: BigInt(datum), model, home: owner, attempt: 1, weight: 1 }
      const forged = create(TaskSchema, { ...about, done: blocks.length, token: new Uint8Array(16) })
      return network.sendTask(
        owner,
        forged,
        tensors.map(tensor => ({ ...tensor, data: tensor.data.slice() }))
      ).answered
    })
  )
  expect(answers.map(({ kind }) => kind)).toEqual(Array(DATA).fill('refused'))
  start('w2')
  await source.status(s => (s.placement.models.net?.w2?.length ?? 0) > 0)
  await source.event('done')
  await checkSink(sink)
  const after = await source.status(s => cam(s).completed === DATA)
  expect(after.devices.find(({ name }) => name === 'cam')!.counters.unproven).toBeGreaterThanOrEqual(DATA)
  expect(after.placement.epoch).toBeLessThan(100e6)
}, 240_000)
