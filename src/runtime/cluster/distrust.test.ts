import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { Distrust } from './distrust.ts'

const [a, b, c] = ['a', 'b', 'c'].map(deviceId) as [
  ReturnType<typeof deviceId>,
  ReturnType<typeof deviceId>,
  ReturnType<typeof deviceId>
]
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

test('a device is set aside for as long as anybody says so, and no longer than ten minutes', () => {
  const distrust = new Distrust()
  expect(distrust.hear(b, [aside(a, 10)], s(0))).toBe(true)
  expect(distrust.hear(b, [aside(a, 10)], s(1))).toBe(false) // said again
  expect(distrust.hear(c, [aside(a, 1e9)], s(1))).toBe(true)
  expect(distrust.setAside().map(({ until }) => until)).toEqual([601])
  expect(distrust.expire(s(10))).toBe(true)
  expect(distrust.isSetAside(a, net)).toBe(true)
  expect(distrust.hear(c, [], s(11))).toBe(true)
  expect(distrust.isSetAside(a, net)).toBe(false)
})

test('of another life nothing is known, neither against it nor by it', () => {
  const distrust = new Distrust()
  distrust.refused(a, net, 0, s(0))
  distrust.hear(a, [aside(b, 100)], s(0))
  distrust.hear(c, [aside(a, 100)], s(0))
  distrust.forget(a)
  expect([distrust.isRefusing(a, net, 0), distrust.isSetAside(a, net), distrust.isSetAside(b, net)]).toEqual([
    false,
    false,
    false
  ])
})
