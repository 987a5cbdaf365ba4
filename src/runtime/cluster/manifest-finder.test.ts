import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { PeerBudgets } from '../../cluster/peer-budgets.ts'
import { deviceId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { memorySigner } from '../../testing/simulated/memory-signer.ts'
import { DeviceStateSchema, ReplySchema } from '../generated/tributary/v1/wire_pb.ts'
import { ClusterView } from './cluster-view.ts'
import { ManifestFinder } from './manifest-finder.ts'

test('devices that do not give a manifest are asked in turn, ever more rarely, and that is told once for each', async () => {
  const clock = createManualClock()
  const said: string[] = []
  const guard = new JobGuard({ clock, say: text => said.push(text) })
  const view = new ClusterView(deviceId('self'), 1)
  const asked: string[] = []
  for (const name of ['porch', 'shed']) {
    const device = deviceId(`${name} id`)
    view.joined(device)
    const models = [{ model: 'unheard-of' }]
    view.heard(device, create(DeviceStateSchema, { device, name, sequence: 1n, speed: 1, models }))
  }
  const finder = new ManifestFinder({
    ...{ clock, guard, view, found: () => {}, signer: memorySigner(view.self) },
    budgets: new PeerBudgets({ now: () => clock.now(), exceeded: () => {} }),
    network: {
      request: async device => {
        asked.push(view.nameOf(device))
        return create(ReplySchema, { error: 'it is not known here' })
      }
    }
  })
  for (let i = 0; i < 600; i++) {
    finder.tick()
    await clock.advance(seconds(0.1))
  }
  expect(asked.slice(0, 4)).toEqual(['porch', 'shed', 'porch', 'shed'])
  expect(asked.length).toBeGreaterThan(10)
  expect(asked.length).toBeLessThan(25)
  expect(said).toHaveLength(2)
  expect(said[0]).toContain('porch was asked in vain: it is not known here')
  expect(guard.failures()).toMatchObject([{ times: asked.length, lasts: true }])
  for (const name of ['porch', 'shed']) view.left(deviceId(`${name} id`))
  finder.tick()
  expect(guard.troubles()).toEqual([])
})
