import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { createRng } from '../../core/rng.ts'
import { milliseconds, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { isPingDue } from './is-ping-due.ts'
import { Liveness } from './liveness.ts'

/** Two devices that ask each other whether they are there; one of them stands still from an instant on. */
const untilNoticed = async (standsStill: number, isBusy: boolean, offset: number) => {
  const clock = createManualClock()
  const [a, b] = [deviceId('a'), deviceId('b')]
  let noticed = Number.NaN
  let pings = 0
  const ear = (peer: typeof a) => {
    const onSilent = () => {
      noticed = clock.now()
    }
    const liveness = new Liveness({ clock, suspectAfter: seconds(3), onSilent, onBack: () => {}, onDead: () => {} })
    liveness.add(peer)
    return { liveness, askedAt: Number.NEGATIVE_INFINITY }
  }
  const ears = { a: ear(b), b: ear(a) }
  const isStill = (who: 'a' | 'b'): boolean => who === 'b' && clock.now() >= standsStill
  const say = async (from: 'a' | 'b', then: () => void): Promise<void> => {
    await clock.sleep(milliseconds(1))
    if (!isStill(from === 'a' ? 'b' : 'a')) then()
  }
  const look = (who: 'a' | 'b'): void => {
    const [own, other, peer] = who === 'a' ? ([ears.a, ears.b, b] as const) : ([ears.b, ears.a, a] as const)
    own.liveness.look()
    const quiet = {
      sinceFrame: seconds(isBusy ? 0 : 60),
      silence: own.liveness.silence(peer),
      sinceAsked: seconds(clock.now() - own.askedAt),
      isWatched: true,
      isOwed: false
    }
    if (!isPingDue(quiet, 3)) return
    own.askedAt = clock.now()
    pings++
    const answer = () => own.liveness.heard(peer)
    void say(who, () => {
      other.liveness.heard(deviceId(who))
      void say(who === 'a' ? 'b' : 'a', answer)
    })
  }
  const run = async (who: 'a' | 'b', first: number): Promise<void> => {
    await clock.sleep(seconds(first))
    while (!isStill(who) && Number.isNaN(noticed)) {
      look(who)
      await clock.sleep(ears[who].liveness.interval)
    }
  }
  void run('a', 0)
  void run('b', offset)
  await clock.advance(seconds(standsStill + 10))
  return { after: noticed - standsStill, pings: pings / standsStill }
}

test.each(['idle', 'busy'])(
  'a device that stands still is noticed within three and a half seconds: on a link that is %s',
  async how => {
    const rng = createRng(how)
    const seen: number[] = []
    for (let i = 0; i < 100; i++) {
      const { after } = await untilNoticed(20 + 3 * rng.next(), how === 'busy', 0.25 * rng.next())
      seen.push(after)
    }
    expect(Math.max(...seen)).toBeLessThan(3.5)
    // Nobody is taken for gone who was heard a moment ago.
    expect(Math.min(...seen)).toBeGreaterThan(1.5)
  }
)

test('on an idle link one of two asks, about once a second', async () => {
  const { pings } = await untilNoticed(60, false, 0.1)
  expect(pings).toBeLessThan(1.05)
  expect(pings).toBeGreaterThan(0.7)
})

test('one that others watch is asked the more seldom the more they are, and on until it has answered', () => {
  const idle = { sinceFrame: seconds(60), isWatched: false, isOwed: false }
  const isDue = (silence: number, sinceAsked: number, peers: number): boolean =>
    isPingDue({ ...idle, silence: seconds(silence), sinceAsked: seconds(sinceAsked) }, peers)
  expect([isDue(1.5, 14, 30), isDue(1.5, 15, 30)]).toEqual([false, true])
  expect([isDue(1.5, 499, 1000), isDue(1.5, 500, 1000)]).toEqual([false, true])
  // Not heard since it was asked half a second ago.
  expect([isDue(1.7, 0.4, 30), isDue(1.7, 0.5, 30)]).toEqual([false, true])
})

test('one that has not answered what it was sent is asked after a second of silence, watched or not', () => {
  const isDue = (silence: number, isOwed: boolean): boolean =>
    isPingDue(
      { sinceFrame: seconds(0), isWatched: false, isOwed, silence: seconds(silence), sinceAsked: seconds(2) },
      100
    )
  expect([isDue(0.9, true), isDue(1, true), isDue(1, false)]).toEqual([false, true, false])
})

test('on links in use the round trips of many peers are measured by as many pings as those of twenty', () => {
  const isDue = (sinceAsked: number, peers: number): boolean =>
    isPingDue(
      {
        sinceFrame: seconds(0),
        isWatched: false,
        isOwed: false,
        silence: seconds(0.1),
        sinceAsked: seconds(sinceAsked)
      },
      peers
    )
  expect([isDue(0.5, 10), isDue(4.9, 100), isDue(5, 100)]).toEqual([true, false, true])
})
