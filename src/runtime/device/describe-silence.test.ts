import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { blockHash, type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { bytes, seconds } from '../../core/units.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { describeSilence } from './describe-silence.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [DeviceId, DeviceId]
const net = modelId('net')

test('who alone has a block and returns nothing is named; where others have it, nothing is waited for', () => {
  const view = new ClusterView(A, 1)
  const activation = { bytes: bytes(4), tensors: [] }
  const manifest = {
    ...{ id: net, name: 'net', sha256: '', inputs: [], outputs: [], activations: [activation, activation, activation] },
    blocks: ['0', '1'].map(text => ({ sha256: blockHash(text), bytes: bytes(1), flops: 1, work: seconds(1) }))
  }
  view.addManifest(manifest)
  view.joined(B)
  const blocks = [0, 1].map(block => ({ block, seconds: 1 }))
  view.heard(B, create(DeviceStateSchema, { device: B, name: 'hole', sequence: 1n, models: [{ model: net, blocks }] }))
  view.offer(net, 0, true)
  const silent = new Map([[B, 3]])
  const because = 'waits for hole, which alone has block 1 of net: 3 data in a row did not come back from it'
  expect(describeSilence(silent, manifest, view)).toBe(because)
  expect(describeSilence(new Map(), manifest, view)).toBe('')
  view.offer(net, 1, true)
  expect(describeSilence(silent, manifest, view)).toBe('')
})
