import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import type { ClusterView } from '../cluster/cluster-view.ts'
import { describeSetAside } from './describe-set-aside.ts'

test('who computes otherwise is told with its id: by what it calls itself an honest one might be removed', () => {
  const view = { nameOf: () => 'lamp', labelOf: () => 'net' } as Partial<ClusterView> as ClusterView
  const one = { device: deviceId('12D3x'), model: modelId('m'), until: seconds(60), because: 'it was wrong' }
  expect(describeSetAside({ ...one, isAudited: true }, view, seconds(0))).toBe(
    'lamp (12D3x) is set aside for 60 s: it computes net otherwise than others (it was wrong)'
  )
  expect(describeSetAside(one, view, seconds(0))).toBe(
    'lamp is set aside for 60 s: it fails at what others compute of net (it was wrong)'
  )
})
