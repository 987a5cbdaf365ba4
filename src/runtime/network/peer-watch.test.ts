import { expect, test } from 'vitest'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { JobGuard } from '../../core/job-guard.ts'
import { createRng } from '../../core/rng.ts'
import { milliseconds, type Seconds, seconds } from '../../core/units.ts'
import { createManualClock, type ManualClock } from '../../testing/manual-clock.ts'
import { Liveness } from './liveness.ts'
import { PeerWatch, type WatchedPeer } from './peer-watch.ts'
import { watchedPeers } from './watched-peers.ts'

/** All connected, none with anything to do; what is said takes a millisecond. */
class Crowd {
  readonly clock: ManualClock = createManualClock()
  readonly devices: Watcher[]
  messages = 0
  doubts = 0

  constructor(size: number) {
    const rng = createRng(`crowd ${size}`)
    const ids = Array.from({ length: size }, () => deviceId(`${rng.next()}`))
    this.devices = ids.map(id => new Watcher(this, id))
    for (const device of this.devices) device.meet(this.devices)
    for (const device of this.devices) void device.run(0.25 * rng.next())
  }

  say(to: Watcher, what: () => void): void {
    this.messages++
    void this.clock.sleep(milliseconds(1)).then(() => {
      if (!to.isStill) what()
    })
  }

  /** @returns seconds from an instant until each of the others has missed it */
  async untilMissed(...gone: readonly Watcher[]): Promise<readonly number[]> {
    const since = this.clock.now()
    for (const device of gone) device.isStill = true
    await this.clock.advance(seconds(20))
    const others = this.devices.filter(device => !gone.includes(device))
    return others.flatMap(({ missed }) => gone.map(({ id }) => (missed.get(id) ?? Number.POSITIVE_INFINITY) - since))
  }
}

class Watcher {
  readonly id: DeviceId
  readonly missed = new Map<DeviceId, Seconds>()
  readonly liveness: Liveness
  readonly watch: PeerWatch
  isStill = false
  readonly #crowd: Crowd
  readonly #peers = new Map<DeviceId, WatchedPeer>()

  constructor(crowd: Crowd, id: DeviceId) {
    this.#crowd = crowd
    this.id = id
    const { clock } = crowd
    this.liveness = new Liveness({
      ...{ clock, suspectAfter: seconds(3), onBack: () => {}, onDead: () => {} },
      onSilent: peer => {
        this.missed.set(peer, clock.now())
        this.watch.changed()
      }
    })
    const guard = new JobGuard({ clock, say: text => expect.unreachable(text) })
    this.watch = new PeerWatch({ self: id, clock, guard, liveness: this.liveness, peers: this.#peers })
  }

  meet(others: readonly Watcher[]): void {
    for (const other of others) {
      if (other === this) continue
      this.liveness.add(other.id)
      this.#peers.set(other.id, this.#peerOf(other))
    }
  }

  #peerOf(other: Watcher): WatchedPeer {
    const crowd = this.#crowd
    let lastPing: Seconds = seconds(0)
    return {
      role: 'device',
      get lastPing() {
        return lastPing
      },
      lastFrame: () => seconds(-60),
      ping: () => {
        lastPing = crowd.clock.now()
        crowd.say(other, () => {
          other.liveness.heard(this.id)
          crowd.say(this, () => this.liveness.heard(other.id))
        })
      },
      sayDoubt: device => {
        crowd.doubts++
        crowd.say(other, () => {
          other.liveness.heard(this.id)
          other.watch.onDoubt(device)
        })
      }
    }
  }

  async run(first: number): Promise<void> {
    await this.#crowd.clock.sleep(seconds(first))
    while (!this.isStill) {
      this.watch.spareUnasked()
      this.liveness.look()
      this.watch.ask()
      await this.#crowd.clock.sleep(this.liveness.interval)
    }
  }
}

test.each([3, 7, 8, 12, 30])(
  'of %i devices one that stands still is missed by all within three and a half seconds',
  async size => {
    const crowd = new Crowd(size)
    await crowd.clock.advance(seconds(60))
    const missed = await crowd.untilMissed(crowd.devices[2]!)
    expect(Math.max(...missed)).toBeLessThan(3.5)
    // Nobody is taken for gone who was heard a moment ago.
    expect(Math.min(...missed)).toBeGreaterThan(1.5)
    expect(crowd.devices.flatMap(device => [...device.missed.keys()])).toEqual(
      Array(size - 1).fill(crowd.devices[2]!.id)
    )
  }
)

test('of thirty devices half that stand still at once are missed as soon', async () => {
  const crowd = new Crowd(30)
  await crowd.clock.advance(seconds(60))
  const missed = await crowd.untilMissed(...crowd.devices.slice(15))
  expect(Math.max(...missed)).toBeLessThan(3.5)
})

test('what a device sends so that others know of it is bounded, and no doubt is said without cause', async () => {
  const rates: number[] = []
  for (const size of [15, 30, 100]) {
    const crowd = new Crowd(size)
    await crowd.clock.advance(seconds(60))
    crowd.messages = 0
    await crowd.clock.advance(seconds(30))
    rates.push(crowd.messages / size / 30)
    expect([crowd.doubts, ...crowd.devices.map(({ missed }) => missed.size)]).toEqual(Array(size + 1).fill(0))
  }
  // One a second over each of six links, and two questions and two answers to the others together.
  expect(Math.max(...rates)).toBeLessThan(10)
})

test('whom a device watches is watched by as many', () => {
  const ids = Array.from({ length: 20 }, (_, n) => `${n + 10}`)
  const times = new Map(ids.map(id => [id, 0]))
  for (const self of ids)
    for (const peer of watchedPeers(
      self,
      ids.filter(id => id !== self)
    ))
      times.set(peer, times.get(peer)! + 1)
  expect(new Set(times.values())).toEqual(new Set([6]))
  expect(watchedPeers('10', ['11', '12'])).toEqual(new Set(['11', '12']))
})
