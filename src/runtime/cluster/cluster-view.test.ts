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

test('devices of one name are told apart while both are there, and by nothing but their names otherwise', () => {
  const [self, other, third] = ['12D3KooWself0001', '12D3KooWother002', '12D3KooWthird003'].map(deviceId)
  const view = new ClusterView(self!, 1)
  const state = (device: string, name: string) => create(DeviceStateSchema, { device, name, sequence: 1n, speed: 1 })
  view.heard(self!, state(self!, 'shed'))
  for (const [device, name] of [
    [other!, 'shed'],
    [third!, 'porch']
  ] as const) {
    view.joined(device)
    view.heard(device, state(device, name))
  }
  const names = () => [self!, other!, third!].map(id => view.nameOf(id))
  expect(names()).toEqual(['shed#self0001', 'shed#other002', 'porch'])
  expect([view.namesakes(self!), view.namesakes(third!)]).toEqual([[other], []])
  view.left(other!)
  expect(names()).toEqual(['shed', 'shed#other002', 'porch'])
})
