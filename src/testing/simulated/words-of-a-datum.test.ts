import { expect, test } from 'vitest'
import { PEER_BUDGETS } from '../../cluster/peer-budgets.ts'
import { createRng } from '../../core/rng.ts'
import { bytesPerSecond, seconds } from '../../core/units.ts'
import { POLICY_NAMES } from '../../scheduler/policies.ts'
import { EventClock } from './event-clock.ts'
import { MemoryDevice } from './memory-device.ts'
import { MemoryHub } from './memory-hub.ts'
import { toyInput, toyModel } from './toy-model.ts'

const BLOCKS = 12
const DATA = 200
/** What the budget must be enough for, of one source. */
const DATA_PER_SECOND = 2000

const net = toyModel({
  ...{
    name: 'net',
    salt: 1,
    work: Array(BLOCKS).fill(0.002),
    weights: Array(BLOCKS).fill(1e6),
    length: 8,
    skips: false
  }
})

test.each(POLICY_NAMES)(
  '%s: what honest devices say of 2,000 data of 12 blocks a second is within the budget of one',
  async policy => {
    const clock = new EventClock()
    const hub = new MemoryHub({
      ...{ clock, rng: createRng(`words ${policy}`) },
      shape: () => ({ latency: seconds(0.001), rate: bytesPerSecond(1e7) })
    })
    // No device has room for all blocks, so that data go from one to another, but where a policy computes whole models.
    const memory = policy === 'local' || policy === 'ddi' ? BLOCKS * 1e6 : 4.2e6
    const devices = ['porch', 'shed', 'attic', 'barn'].map(
      name => new MemoryDevice({ hub, name, policy, memory, models: name === 'porch' ? [net] : [] })
    )
    const words = new Map<string, number>()
    for (const { network, device } of devices) {
      const { notify } = network
      network.notify = (to, notice) => {
        const way = `${device.view.self} to ${to}`
        words.set(way, (words.get(way) ?? 0) + 1)
        notify.call(network, to, notice)
      }
      void device.start()
    }
    const [porch] = devices as [MemoryDevice]
    await clock.run(
      () => porch.device.status().placement.ready && porch.device.status().devices.length === 4 && clock.now() > 3
    )
    words.clear()
    const began = clock.now()
    const items = Array.from({ length: DATA }, (_, datum) => {
      const { type, dims } = toyInput(net, 0, datum)
      return { type, dims, data: new Int32Array(toyInput(net, 0, datum).data.buffer) }
    })
    const door = porch.addSource({ name: 'door', items: items as never, window: 16 })
    await clock.run(() => door.isDone)
    expect(door.outcomes).toHaveLength(DATA)
    // What goes by time is as much for more data in the same time: reports and pings.
    const byTime = 60 * (clock.now() - began)
    const most = Math.max(...words.values())
    expect(DATA_PER_SECOND * (Math.max(0, most - byTime) / DATA)).toBeLessThan(PEER_BUDGETS.words.perSecond)
  }
)
