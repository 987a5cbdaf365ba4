import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { blockHash, deviceId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { bytes, seconds } from '../../core/units.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { ModelsRequestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { Network } from '../ports/network.ts'
import { ModelDesk } from './model-desk.ts'
import type { OwnedModel } from './owned-model.ts'
import { OwnedModels } from './owned-models.ts'

const OLD = '1'.repeat(64)
const manifest: ModelManifest = {
  ...{ id: modelId(OLD), name: 'net', sha256: OLD, inputs: [], outputs: [] },
  blocks: [{ sha256: blockHash(OLD), bytes: bytes(1), flops: 1, work: seconds(1) }],
  activations: [0, 1].map(() => ({ bytes: bytes(1), tensors: [] }))
}

test('an update of a model that is named by fingerprint replaces that one and no other', async () => {
  const view = new ClusterView(deviceId('a'), 1)
  const owned = new OwnedModels({ models: [{ name: 'net', file: 'net.onnx' }], view, prepare: async () => manifest })
  await owned.prepare()
  const updates: OwnedModel[] = []
  const desk = new ModelDesk({
    ...{ name: 'a', view, owned, changed: () => {}, dismiss: () => {}, say: () => {} },
    network: undefined as unknown as Network, // it asks nobody
    takeOrder: async token => ({ name: token, file: 'new.onnx' }),
    update: async model => updates.push(model) > 0
  })
  const update = (value: string) => desk.answer(create(ModelsRequestSchema, { body: { case: 'update', value } }))
  const other = `net@${'2'.repeat(12)}`
  expect((await update(other)).error).toBe(`model "net" is net@${'1'.repeat(16)}, not ${other}: nothing has changed`)
  expect(updates).toEqual([])
  expect((await update(`net@${'1'.repeat(12)}`)).error).toBe('')
  expect((await update('net')).error).toBe('')
  expect(updates).toEqual([1, 2].map(() => ({ name: 'net', file: 'new.onnx' })))
})
