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

  /** @param isStar all are connected to the first, and to nobody else */
  constructor(size: number, isStar = false) {
    const rng = createRng(`crowd ${size}`)
    const ids = Array.from({ length: size }, () => deviceId(`${rng.next()}`))
    this.devices = ids.map(id => new Watcher(this, id))
    const [hub] = this.devices
    for (const device of this.devices) device.meet(isStar && device !== hub ? [hub!] : this.devices)
    for (const device of this.devices) void device.run(0.25 * rng.next())
  }

  say(from: Watcher, to: Watcher, what: () => void): void {
    this.messages++
    void this.clock.sleep(milliseconds(1)).then(() => {
      if (!to.isStill && from.side === to.side) what()
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
  /** Nothing gets from one side to another. */
  side = 0
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
      isOwed: false,
      lastFrame: () => seconds(-60),
      ping: watches => {
        lastPing = crowd.clock.now()
        this.#tell(other, () => {
          other.watch.onAsked(this.id, watches)
          other.#tell(this, () => {})
        })
      },
      sayDoubt: device => {
        crowd.doubts++
        this.#tell(other, () => other.watch.onDoubt(device))
      }
    }
  }

  #tell(other: Watcher, what: () => void): void {
    this.#crowd.say(this, other, () => {
      other.liveness.heard(this.id)
      what()
    })
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

test.each([1, 3])('of thirty devices %i that are cut off and the others miss each other as soon', async size => {
  const crowd = new Crowd(30)
  await crowd.clock.advance(seconds(60))
  const since = crowd.clock.now()
  const away = crowd.devices.slice(0, size)
  for (const device of away) device.side = 1
  await crowd.clock.advance(seconds(20))
  for (const device of crowd.devices) {
    const others = crowd.devices.filter(({ side }) => side !== device.side)
    const after = others.map(({ id }) => (device.missed.get(id) ?? Number.POSITIVE_INFINITY) - since)
    expect(Math.max(...after)).toBeLessThan(3.8)
    expect(device.missed.size).toBe(others.length)
  }
})

test('of many that are connected to one alone each is missed by it as soon', async () => {
  const crowd = new Crowd(30, true)
  await crowd.clock.advance(seconds(60))
  const [hub, ...leaves] = crowd.devices
  const since = crowd.clock.now()
  for (const leaf of leaves.slice(0, 10)) leaf.isStill = true
  await crowd.clock.advance(seconds(20))
  const missed = leaves.slice(0, 10).map(({ id }) => (hub!.missed.get(id) ?? Number.POSITIVE_INFINITY) - since)
  expect(Math.max(...missed)).toBeLessThan(3.5)
  expect(hub!.missed.size).toBe(10)
})

test('one that is silent again and again for less than a loss is doubted once in ten seconds', async () => {
  const crowd = new Crowd(30)
  await crowd.clock.advance(seconds(60))
  for (let i = 0; i < 12; i++) {
    crowd.devices[2]!.side = 1
    await crowd.clock.advance(seconds(1.2))
    crowd.devices[2]!.side = 0
    await crowd.clock.advance(seconds(1.6))
  }
  // Six watchers tell 28 others, and it tells as many of as many.
  expect(crowd.doubts).toBeGreaterThan(6 * 28)
  expect(crowd.doubts).toBeLessThan(2 * 6 * 28 * 4)
  expect(crowd.devices.flatMap(({ missed }) => [...missed.keys()])).toEqual([])
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
