import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { WindowStretch } from './window-stretch.ts'

interface Member {
  readonly stretch: WindowStretch
  readonly source: { isFlowing: boolean; window: number }
  due: number
  isGone: boolean
}

/** Devices that tell each other ten times a second how their sources fare. Each serves `rates` a second, as the stretch is. */
const cluster = (ids: readonly string[], rates: (stretch: number, id: string) => number) => {
  const clock = { now: 0 }
  const own = 10
  const members = new Map(
    ids.map(id => {
      const stretch = new WindowStretch({ self: deviceId(id), now: () => seconds(clock.now) })
      const source = { isFlowing: true, window: own }
      return [id, { stretch, source, due: 0, isGone: false }] as [string, Member]
    })
  )
  const present = () => [...members].flatMap(([id, member]) => (member.isGone ? [] : [[id, member] as const]))
  const tell = (): void => {
    for (const [id, { stretch }] of present()) {
      const told = stretch.told()
      for (const [to, other] of present()) if (to !== id) other.stretch.heard(deviceId(id), told)
    }
  }
  const run = (duration: number): void => {
    for (const end = clock.now + duration; clock.now < end; clock.now += 0.01) {
      for (const [id, member] of present()) {
        member.source.window = Math.round(own * member.stretch.factor)
        member.due += 0.01 * rates(member.stretch.factor, id)
        for (; member.due >= 1; member.due--) {
          if (member.source.isFlowing) member.stretch.completed(member.source)
          else member.stretch.counted()
        }
      }
      if (Math.round(clock.now * 100) % 10 === 0) tell()
    }
  }
  return { run, members, factors: () => present().map(([, { stretch }]) => stretch.factor) }
}

/** Twice the windows serve twice as much, and no more than that. */
const rising = (stretch: number): number => Math.min(40, 20 * stretch)

test('one that is alone finds that more is served beyond', () => {
  const { run, factors } = cluster(['a'], rising)
  run(100)
  expect(factors()[0]).toBeGreaterThan(1.5)
})

test('all stretch alike: one tries, the others follow', () => {
  const { run, factors } = cluster(['b', 'c', 'a'], rising)
  run(150)
  const [b, c, a] = factors()
  expect(a).toBeGreaterThan(1.5)
  expect([b, c]).toEqual([a, a])
})

test('what one gains and another loses is no gain', () => {
  // Of 40 a second the first by name gets more, the more are under way.
  const { run, factors } = cluster(
    ['a', 'b'],
    (stretch, id) => (id === 'a' ? 20 : 40 - 20) + (id === 'a' ? 8 : -8) * Math.min(1, stretch - 0.8)
  )
  run(300)
  expect(Math.max(...factors())).toBeLessThan(1.2)
})

test('what is gained from a source that asks for little is no gain', () => {
  // Of 40 a second `b`, which the network is fast enough for, gets what the windows of `a` leave.
  const part = (stretch: number): number => Math.min(38, 20 * stretch)
  const { run, members, factors } = cluster(['a', 'b'], (stretch, id) =>
    id === 'a' ? part(stretch) : 40 - part(members.get('a')!.stretch.factor)
  )
  members.get('b')!.source.isFlowing = false
  run(100)
  expect(factors()[0]).toBeLessThan(1.2)
})

test('what was found is forgotten when no source flows any more', () => {
  const { run, members, factors } = cluster(['a'], rising)
  run(100)
  expect(factors()[0]).toBeGreaterThan(1.5)
  members.get('a')!.source.isFlowing = false
  run(1)
  expect(factors()).toEqual([1])
  members.get('a')!.due = Number.NEGATIVE_INFINITY
  run(3)
  expect(members.get('a')!.stretch.told()).toBeUndefined()
})

test('when the one that tries is gone, the next goes on from there', () => {
  const { run, members, factors } = cluster(['a', 'b'], rising)
  run(150)
  const [before] = factors()
  members.get('a')!.isGone = true
  run(1)
  expect(factors()).toEqual([before])
  run(60)
  expect(factors()[0]).toBeGreaterThan(1.4)
})

test('sources that the network is fast enough for only say what they get, and those of the others go on without them', () => {
  const { run, members, factors } = cluster(['a', 'b'], rising)
  run(2)
  members.get('a')!.source.isFlowing = false
  run(1)
  expect(members.get('a')!.stretch.told()).toMatchObject({ window: 0 })
  run(100)
  const [a, b] = factors()
  expect(b).toBeGreaterThan(1.5)
  expect(a).toBe(1) // nobody of a smaller name to follow
})

test('a device that begins anew counts from nothing', () => {
  const { run, members } = cluster(['a', 'b'], rising)
  run(30)
  const { stretch } = members.get('a')!
  for (let results = 0; results < 2000; results += 50) {
    stretch.heard(deviceId('b'), { window: 10, results: results % 400, stretch: stretch.factor })
    members.get('b')!.isGone = true
    run(0.3)
  }
  expect(stretch.factor).toBeGreaterThan(1.2)
})
