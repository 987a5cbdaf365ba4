import { create } from '@bufbuild/protobuf'
import { expect, it } from 'vitest'
import type { NumberedPlacement } from '../../cluster/numbered-placement.ts'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { PlacementReminder } from './placement-reminder.ts'

const [A, B, C] = ['a', 'b', 'c'].map(deviceId) as [
  ReturnType<typeof deviceId>,
  ReturnType<typeof deviceId>,
  ReturnType<typeof deviceId>
]

it('tells those again who are not ready for our own placement, every five seconds', async () => {
  const clock = createManualClock()
  const view = new ClusterView(A, 1)
  const ready = (device: typeof A, sequence: bigint, readyEpoch: bigint): void => {
    view.joined(device)
    view.heard(device, create(DeviceStateSchema, { device, name: device, sequence, readyEpoch }))
  }
  ready(B, 1n, 6n)
  ready(C, 1n, 7n)
  const told: string[] = []
  const reminder = new PlacementReminder({ clock, view, tell: (device, { epoch }) => told.push(`${device} ${epoch}`) })
  const ours: NumberedPlacement = { epoch: 7, planner: A, placement: new Map(), unplaced: [] }
  reminder.told()
  reminder.tick(ours)
  expect(told).toEqual([])
  await clock.advance(seconds(5))
  reminder.tick({ ...ours, planner: B })
  expect(told).toEqual([])
  reminder.tick(ours)
  reminder.tick(ours)
  expect(told).toEqual(['b 7'])
  ready(B, 2n, 7n)
  await clock.advance(seconds(5))
  reminder.tick(ours)
  expect(told).toEqual(['b 7'])
})
