import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'

const [A, B, C] = ['a', 'b', 'c'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>, never]

const resource = (view: ClusterView, from: number, to: number): number | undefined =>
  view.world.link(from, to)?.resource

test('links of one medium are one resource, whoever tells of them; links of their own are not', () => {
  const view = new ClusterView(A, 1)
  view.joined(B)
  view.joined(C)
  view.setLink(A, B, 1e6, 0.003, 'air')
  view.setLink(A, C, 1e6, 0.003)
  const links = [
    { to: A, rate: 1e6, latency: 0.003, medium: 'air' },
    { to: C, rate: 1e6, latency: 0.003, medium: 'other air' }
  ]
  view.heard(B, create(DeviceStateSchema, { device: B, name: 'b', sequence: 1n, speed: 1, links }))
  expect(resource(view, 1, 0)).toBe(resource(view, 0, 1))
  expect(new Set([resource(view, 0, 1), resource(view, 0, 2), resource(view, 1, 2)]).size).toBe(3)
  expect(view.mediumOf(resource(view, 0, 1)!)).toBe('air')
  expect(view.mediumOf(resource(view, 0, 2)!)).toBe('')
  view.setLink(A, B, 2e6, 0.003, 'air')
  expect(resource(view, 1, 0)).toBe(resource(view, 0, 1))
})
