import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { MOST_OF_HOME } from '../../cluster/task-room.ts'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { loneDevice, memorySink, numberSource, ownedCounting } from '../../testing/lone-device.ts'
import { DeviceStateSchema, TaskSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { NetworkHandlers, TaskAnswer } from '../ports/network.ts'

test('of another home a bounded number of tasks is taken, the rest is refused with the reason', async () => {
  let handlers: NetworkHandlers | undefined
  const lone = loneDevice({ models: [ownedCounting('net', 2)] })
  await using device = lone.device
  const mallory = deviceId('12D3KooWMallory')
  Object.assign(lone.network, {
    start: async (given: NetworkHandlers) => {
      handlers = given
    },
    peers: () => new Map([[mallory, 'device']])
  })
  await device.addSource(numberSource(lone, 'cam', { count: 5, sink: memorySink() }))
  await device.start()
  handlers!.onPeer({ kind: 'joined', peer: mallory, role: 'device', life: 1n })
  const state = { device: mallory, name: 'mallory', life: 1n, sequence: 1n, incarnation: 1n, speed: 1 }
  handlers!.onState(mallory, create(DeviceStateSchema, state))
  await lone.clock.advance(seconds(0.5))
  const [manifest] = device.view.manifests()
  const send = (datum: number): TaskAnswer => {
    const about = { source: 'own@mallory', datum: BigInt(datum), model: manifest!.id, home: mallory }
    const task = create(TaskSchema, { ...about, weight: 1, attempt: 1 })
    const tensors = [{ name: 'x', type: 'float32' as const, dims: [1], data: new Uint8Array(4) }]
    return handlers!.onTask({ from: mallory, task, tensors, report: undefined })
  }
  const answers = Array.from({ length: MOST_OF_HOME.tasks + 50 }, (_, datum) => send(datum))
  expect(answers.slice(0, MOST_OF_HOME.tasks)).toEqual(Array(MOST_OF_HOME.tasks).fill({ kind: 'accepted' }))
  const because = `there is no room for more tasks of that home: at most ${MOST_OF_HOME.tasks}, of 256 MiB`
  expect(answers.slice(MOST_OF_HOME.tasks)).toEqual(Array(50).fill({ kind: 'refused', because }))
}, 60_000)
