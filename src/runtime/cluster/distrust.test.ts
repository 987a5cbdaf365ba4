import { expect, test } from 'vitest'
import { type DeviceId, deviceId, modelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { Distrust } from './distrust.ts'

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(deviceId) as [DeviceId, DeviceId, DeviceId, DeviceId]
const net = modelId('net')
const s = seconds
const aside = (device: typeof a, until: number) => ({ device, model: net, until: s(until), because: 'memory' })

test('who refuses a block is left alone for a moment, twice as long each time, until it takes one', () => {
  const distrust = new Distrust()
  const pauses: number[] = []
  let now = 0
  for (let i = 0; i < 7; i++) {
    distrust.refused(a, net, 0, s(now))
    distrust.refused(a, net, 0, s(now)) // others that were on their way
    const before = now
    while (!distrust.expire(s(now))) now += 0.25
    pauses.push(now - before)
    expect(distrust.isRefusing(a, net, 0)).toBe(false)
  }
  expect(pauses).toEqual([0.25, 0.5, 1, 2, 4, 5, 5])
  distrust.taken(a, net, 0)
  distrust.refused(a, net, 0, s(now))
  expect(distrust.expire(s(now + 0.25))).toBe(true)
  expect(distrust.isRefusing(a, net, 1)).toBe(false)
})

test('what it has seen itself sets a device aside for as long as it says so, and no longer than ten minutes', () => {
  const distrust = new Distrust(b)
  expect(distrust.hear(b, [aside(a, 10)], s(0))).toBe(true)
  expect(distrust.hear(b, [aside(a, 10)], s(1))).toBe(false) // said again
  expect(distrust.setAside()).toEqual([aside(a, 10)])
  expect(distrust.hear(b, [aside(a, 1e9)], s(1))).toBe(false)
  expect(distrust.setAside().map(({ until }) => until)).toEqual([601])
  expect(distrust.hear(b, [], s(11))).toBe(true)
  expect(distrust.isSetAside(a, net)).toBe(false)
})

test('of what others say two are needed who are members, for as long as both say it; and nothing counts against itself', () => {
  const distrust = new Distrust(b, by => by !== a)
  const isFailing = (): boolean => distrust.isSetAside(d, net)
  distrust.hear(a, [aside(d, 100)], s(0)) // a guest
  distrust.hear(c, [aside(d, 100), aside(b, 100)], s(0))
  expect([isFailing(), distrust.setAside()]).toEqual([false, []])
  distrust.hear(d, [aside(d, 30), { ...aside(b, 100), isAudited: true }], s(0))
  expect([isFailing(), distrust.setAside()]).toEqual([true, [aside(d, 30)]])
  expect([distrust.isSetAside(b, net), distrust.isSetAsideHere(d, net)]).toEqual([false, false])
  distrust.hear(b, [aside(d, 10)], s(0))
  expect([distrust.isSetAsideHere(d, net), distrust.setAside()]).toEqual([true, [aside(d, 30)]])
  expect(distrust.expire(s(10))).toBe(true)
  expect(isFailing()).toBe(true)
  expect(distrust.expire(s(30))).toBe(true)
  expect(isFailing()).toBe(false)
})

test('who is gone for good is not known, neither what is said against it nor what it says', () => {
  const distrust = new Distrust(c)
  distrust.refused(a, net, 0, s(0))
  distrust.hear(a, [aside(b, 100)], s(0))
  distrust.hear(d, [aside(b, 100)], s(0))
  distrust.hear(c, [aside(a, 100)], s(0))
  expect([distrust.isSetAside(a, net), distrust.isSetAside(b, net)]).toEqual([true, true])
  distrust.forget(a)
  expect([distrust.isRefusing(a, net, 0), distrust.isSetAside(a, net), distrust.isSetAside(b, net)]).toEqual([
    false,
    false,
    false
  ])
})

test('another process in its place does not fail as the one before did, but is no more to be trusted with what it computes', () => {
  const distrust = new Distrust(c)
  distrust.refused(a, net, 0, s(0))
  distrust.hear(a, [aside(b, 100)], s(0))
  distrust.hear(d, [aside(b, 100)], s(0))
  distrust.hear(c, [aside(a, 100)], s(0))
  distrust.restarted(a)
  expect([distrust.isRefusing(a, net, 0), distrust.isSetAside(a, net), distrust.isSetAside(b, net)]).toEqual([
    false,
    false,
    false
  ])
  // Who was caught could have itself trusted again by reconnecting.
  for (const by of [c, d]) distrust.hear(by, [{ ...aside(a, 100), isAudited: true }], s(0))
  distrust.restarted(a)
  expect([distrust.isSetAside(a, net), distrust.isOutOfPlans(a)]).toEqual([true, true])
  distrust.expire(s(100))
  expect([distrust.isSetAside(a, net), distrust.isOutOfPlans(a)]).toEqual([false, false])
})

test('out of plans is of whom two members say that it computes otherwise, whoever they are; not of whom one says so', () => {
  const distrust = new Distrust(b, by => by !== a)
  const wrong = (device: DeviceId) => ({ ...aside(device, 100), isAudited: true as const })
  distrust.hear(b, [wrong(d)], s(0)) // this one alone
  distrust.hear(a, [wrong(d)], s(0)) // a guest
  distrust.hear(d, [wrong(c), wrong(d)], s(0))
  distrust.hear(c, [aside(d, 100)], s(0)) // it failed
  expect([c, d].map(device => distrust.isOutOfPlans(device))).toEqual([false, false])
  distrust.hear(c, [wrong(d)], s(0))
  expect([c, d].map(device => distrust.isOutOfPlans(device))).toEqual([false, true])
  distrust.expire(s(100))
  expect(distrust.isOutOfPlans(d)).toBe(false)
})
