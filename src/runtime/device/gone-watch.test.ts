import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { bytes, bytesPerSecond, seconds } from '../../core/units.ts'
import { loneDevice } from '../../testing/lone-device.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import { DeviceStateSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { NetworkHandlers } from '../ports/network.ts'
import { GoneWatch } from './gone-watch.ts'

const SELF = deviceId('self')
const HOUR = 3600

/** What a device says of itself: its name, and a link to us. */
const said = (id: string) =>
  create(DeviceStateSchema, {
    ...{ device: id, name: id, life: 1n, incarnation: 1n, sequence: 1n, speed: 2 },
    links: [{ to: SELF, rate: 1e6, latency: 0.01 }]
  })

const setUp = () => {
  const clock = createManualClock()
  const view = new ClusterView(SELF, 1)
  const gone: string[] = []
  const watch = new GoneWatch({
    ...{ clock, world: view.world },
    isGuest: device => view.isGuest(device),
    gone: device => {
      gone.push(device)
      view.retire(device)
    }
  })
  const comes = (id: string): void => {
    view.joined(deviceId(id), 1n)
    view.heard(deviceId(id), said(id))
    view.setLink(SELF, deviceId(id), 1e6, 0.01)
  }
  const pass = async (hours: number): Promise<void> => {
    for (let i = 0; i < hours; i++) {
      await clock.advance(seconds(HOUR))
      watch.tick()
    }
  }
  watch.tick()
  return { view, gone, comes, pass }
}

test('who is away for a night is known when it comes back, who is for a day leaves all tables', async () => {
  const { view, gone, comes, pass } = setUp()
  for (const id of ['a', 'b']) comes(id)
  for (const id of ['a', 'b']) view.left(deviceId(id))
  await pass(12)
  comes('a')
  await pass(14)
  expect(gone).toEqual(['b'])
  expect(view.isIntroduced(deviceId('a'))).toBe(true)
  expect([view.state(deviceId('b')), view.world.deviceIndex(deviceId('b'))]).toEqual([undefined, undefined])
  expect(view.world.links.flat().map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 0]
  ])
  comes('b')
  expect(view.isIntroduced(deviceId('b'))).toBe(true)
})

test('who came for one job has left all tables within the hour', async () => {
  const { view, gone, comes, pass } = setUp()
  for (const id of ['a', 'guest']) comes(id)
  view.addGuest(deviceId('guest'))
  for (const id of ['a', 'guest']) view.left(deviceId(id))
  await pass(2)
  expect(gone).toEqual(['guest'])
  expect(view.isGuest(deviceId('guest'))).toBe(false)
})

test('however many devices come and go, the tables are as long as at the most are known at once', async () => {
  const { view, comes, pass } = setUp()
  comes('stays')
  for (let day = 0; day < 300; day++) {
    for (let i = 0; i < 5; i++) comes(`${day} ${i}`)
    for (let i = 0; i < 5; i++) view.left(deviceId(`${day} ${i}`))
    await pass(25)
  }
  const { world } = view
  expect(world.devices.length).toBe(7)
  expect(world.resources).toBeLessThan(7 + 2 * 7)
  expect(world.known().map(({ id }) => id)).toEqual(['self', 'stays'])
  expect(world.link(0, world.deviceIndex(deviceId('stays'))!)).toMatchObject({ rate: 1e6, up: true })
})

test('a running device forgets who is gone for good, and what it sent to it still counts', async () => {
  let handlers: NetworkHandlers | undefined
  let connected = true
  const lone = loneDevice({ forgetsAfter: seconds(5) })
  await using device = lone.device
  const shed = deviceId('12D3KooWShed')
  const measured = { rate: bytesPerSecond(1e6), latency: seconds(0.01), bytesSent: bytes(77), busySeconds: seconds(0) }
  Object.assign(lone.network, {
    start: async (given: NetworkHandlers) => {
      handlers = given
    },
    notify: () => {},
    peers: () => new Map(connected ? [[shed, 'device']] : []),
    link: (to: string) => (connected && to === shed ? { ...measured, shaped: false } : undefined)
  })
  await device.start()
  handlers!.onPeer({ kind: 'joined', peer: shed, role: 'device', life: 1n })
  handlers!.onState(shed, create(DeviceStateSchema, { device: shed, name: 'shed', life: 1n, sequence: 1n }))
  await lone.clock.advance(seconds(2))
  expect(device.status().devices[0]!.bytesSent).toBe(77)
  connected = false
  handlers!.onPeer({ kind: 'left', peer: shed, role: 'device', because: 'a test' })
  await lone.clock.advance(seconds(4))
  expect(device.view.state(shed)?.name).toBe('shed')
  await lone.clock.advance(seconds(2))
  expect(device.view.state(shed)).toBe(undefined)
  expect(device.view.world.known().map(({ id }) => id)).toEqual([lone.network.self])
  expect(device.status().devices[0]!.bytesSent).toBe(77)
})
