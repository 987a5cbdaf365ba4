import { expect, test } from 'vitest'
import { WindowStretch } from '../../cluster/window-stretch.ts'
import { deviceId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import { seconds } from '../../core/units.ts'
import type { Policy } from '../../scheduler/policy.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { ClusterView } from '../cluster/cluster-view.ts'
import type { Network } from '../ports/network.ts'
import { Announcer } from './announcer.ts'
import type { DeviceReporter } from './device-reporter.ts'

/** How many reports go out within a second of ticks while a policy reports this backlog. */
const reports = async (backlog: number): Promise<number> => {
  const clock = createManualClock()
  let told = 0
  const network = { peers: () => new Map([[deviceId('b'), 'device']]), notify: () => told++ }
  const policy = {
    reportInterval: () => seconds(0.1),
    report: () => ({ backlog: seconds(backlog), commitments: [], received: [] })
  }
  const announcer = new Announcer({
    ...{ clock, guard: new JobGuard({ clock, say: () => {} }), view: new ClusterView(deviceId('a'), 1) },
    network: network as unknown as Network,
    policy: policy as unknown as Policy,
    stretch: new WindowStretch({ self: deviceId('a'), now: () => clock.now() }),
    reporter: { isRestless: () => true } as unknown as DeviceReporter,
    isOn: () => true,
    later: () => {}
  })
  for (let tick = 0; tick < 10; tick++) {
    announcer.report()
    await clock.advance(seconds(0.1))
  }
  return told
}

test('a backlog that is as long as it was is told each time: others think that it has drained', async () => {
  expect(await reports(0.3)).toBe(10)
})

test('that nothing waits is told once, and then now and then', async () => {
  expect(await reports(0)).toBe(2)
})
