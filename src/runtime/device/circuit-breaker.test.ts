import { expect, test } from 'vitest'
import { deviceId, modelId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { CircuitBreaker } from './circuit-breaker.ts'

const bad = deviceId('bad')
const net = modelId('net')
const s = seconds

const opened = (breaker: CircuitBreaker, now: number): number => {
  let last: number | undefined
  for (let i = 0; i < 3; i++) last = breaker.contradicted(bad, net, 'memory', s(now))?.until
  return last!
}

test('three failures that others did not have set a device aside, for that model only', () => {
  const breaker = new CircuitBreaker()
  expect(breaker.contradicted(bad, net, 'memory', s(0))).toBeUndefined()
  expect(breaker.contradicted(bad, net, 'memory', s(1))).toBeUndefined()
  expect(breaker.setAside(s(1))).toEqual([])
  const now = { device: bad, model: net, until: 12, because: 'memory' }
  expect(breaker.contradicted(bad, net, 'memory', s(2))).toEqual(now)
  expect(breaker.contradicted(bad, net, 'memory', s(3))).toBeUndefined() // it was on its way there
  expect(breaker.setAside(s(3))).toEqual([now])
  expect(breaker.isDiscredited(bad, modelId('other'), s(3))).toBe(false)
})

test('a failure once in a while does not', () => {
  const breaker = new CircuitBreaker()
  for (let t = 0; t < 1000; t += 50) expect(breaker.contradicted(bad, net, 'flicker', s(t))).toBeUndefined()
})

test('half-open: one more opens it for twice as long; as long without one closes it', () => {
  const breaker = new CircuitBreaker()
  expect(opened(breaker, 0)).toBe(10)
  expect(breaker.setAside(s(10))).toEqual([])
  expect(breaker.isDiscredited(bad, net, s(11))).toBe(true)
  expect(breaker.contradicted(bad, net, 'memory', s(11))?.until).toBe(31)
  expect(breaker.contradicted(bad, net, 'memory', s(40))?.until).toBe(80)
  expect(breaker.contradicted(bad, net, 'memory', s(125))).toBeUndefined() // closed again: as before the first one
  expect(breaker.contradicted(bad, net, 'memory', s(126))).toBeUndefined()
  expect(breaker.contradicted(bad, net, 'memory', s(126))?.until).toBe(136)
})

test('it never rests for more than five minutes, and a new process begins with a clean record', () => {
  const breaker = new CircuitBreaker()
  let until = opened(breaker, 0)
  for (let i = 0; i < 10; i++) {
    const now = until + 1
    until = breaker.contradicted(bad, net, 'memory', s(now))!.until
    expect(until - now).toBeLessThanOrEqual(300)
  }
  breaker.restarted(bad)
  expect(breaker.setAside(s(until - 1))).toEqual([])
  expect(breaker.isDiscredited(bad, net, s(until - 1))).toBe(false)
})

test('a new process is not trusted again where the one before was caught: for computing otherwise, or for returning nothing', () => {
  const breaker = new CircuitBreaker()
  breaker.deviates(bad, net, 'otherwise', s(0))
  breaker.restarted(bad)
  expect(breaker.setAside(s(59))).toMatchObject([{ device: bad, isAudited: true }])
  // Nor by failing once in another way meanwhile.
  breaker.contradicted(bad, net, 'memory', s(61))
  breaker.restarted(bad)
  expect(breaker.setAside(s(62))).toMatchObject([{ device: bad, because: 'memory' }])
  const other = new CircuitBreaker()
  other.swallows(bad, net, 'did not come back', s(0))
  other.restarted(bad)
  expect(other.setAside(s(29))).toHaveLength(1)
  expect(other.setAside(s(30))).toEqual([])
  other.forget(bad)
  expect(other.isDiscredited(bad, net, s(30))).toBe(false)
})

test('what one says of another sets neither aside, however often; of two others it does', () => {
  const breaker = new CircuitBreaker()
  const [liar, other] = [deviceId('liar'), deviceId('other')]
  for (let t = 0; t < 30; t++) {
    expect(breaker.contradicted(bad, net, 'it says so', s(t), liar)).toBeUndefined()
    expect(breaker.contradicted(liar, net, 'it says so', s(t), bad)).toBeUndefined()
  }
  expect(breaker.isDiscredited(bad, net, s(30))).toBe(false)
  expect(breaker.contradicted(bad, net, 'so does another', s(30), other)).toMatchObject({ device: bad })
  expect(breaker.contradicted(liar, net, 'again', s(31), other)).toMatchObject({ device: liar })
  expect(breaker.contradicted(bad, net, 'half-open', s(120), liar)).toBeUndefined()
})
