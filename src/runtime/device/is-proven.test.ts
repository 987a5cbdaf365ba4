import { expect, test } from 'vitest'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { isProven, type Jury } from './is-proven.ts'

const [home, a, b, c, d] = ['home', 'a', 'b', 'c', 'd'].map(deviceId) as [
  DeviceId,
  DeviceId,
  DeviceId,
  DeviceId,
  DeviceId
]
const on = (...devices: readonly DeviceId[]) => devices.map(device => ({ device, block: 0, because: 'NaN' }))
const jury = (carriers: readonly DeviceId[], broken: readonly DeviceId[] = []): Jury => ({
  home,
  isDiscredited: device => broken.includes(device),
  carriers: () => carriers
})

test('one device that fails a datum, however often, proves nothing while others could try it', () => {
  expect(isProven(on(a, a, a, a, a, a, a, a), jury([a, b]))).toBe(false)
  expect(isProven(on(home, home, home, home), jury([home, a]))).toBe(false)
})

test('different devices do, when it was tried three times and nobody is left to try it', () => {
  expect(isProven(on(a, home), jury([home, a]))).toBe(false)
  expect(isProven(on(a, home), jury([]))).toBe(true) // nobody is there to try it a third time
  expect(isProven(on(a, home, b), jury([home, a, b]))).toBe(true)
  expect(isProven(on(a, a, b), jury([a, b]))).toBe(true)
})

test('two devices that fail it prove nothing, however often, while a third has not tried it', () => {
  expect(isProven(on(a, b, a), jury([a, b, c]))).toBe(false)
  expect(isProven(on(a, b, a, b, a, b, a, b), jury([home, a, b]))).toBe(false)
  expect(isProven(on(a, b, a, c), jury([a, b, c]))).toBe(true)
})

test('four different devices do, though there are more; a broken one is not waited for', () => {
  expect(isProven(on(a, b, home), jury([home, a, b, c, d]))).toBe(false)
  expect(isProven(on(a, b, home, c), jury([home, a, b, c, d]))).toBe(true)
  expect(isProven(on(a, b, home, c), jury([home, a, b, c, d], [c]))).toBe(false)
  expect(isProven(on(a, b, home), jury([home, a, b, c], [c]))).toBe(true)
})

// Seed 632: several devices failed everything for a while, one at the first block, which is pinned, another behind it.
test('who failed at another block is no witness against the datum at this one', () => {
  const at = (device: DeviceId, block: number) => ({ device, block, because: 'NaN' })
  expect(isProven([at(a, 2), at(b, 0), at(b, 0)], jury([b]))).toBe(false)
  expect(isProven([at(b, 0), at(a, 2), at(b, 0), at(b, 0)], jury([b]))).toBe(false)
  expect(isProven([at(a, 2), at(b, 2), at(b, 2)], jury([a, b]))).toBe(true)
})

test('home does where there is nobody else, another device does not: the datum waits for somebody who can try it', () => {
  expect(isProven(on(home, home), jury([home]))).toBe(false)
  expect(isProven(on(home, home, home), jury([home]))).toBe(true)
  expect(isProven(on(a, a, a, a, a, a), jury([a]))).toBe(false)
})

test('devices that fail at what others can do are no witnesses', () => {
  expect(isProven(on(a, b, a, b), jury([home, a, b], [a, b]))).toBe(false)
  expect(isProven(on(a, b, home), jury([home, a, b, c], [a, b]))).toBe(false)
})

test('while others may come to carry it, home alone proves nothing, nor do two failures where nobody carries it', () => {
  const waiting = (carriers: readonly DeviceId[]): Jury => ({ ...jury(carriers), mayOthersCome: true })
  expect(isProven(on(home, home, home, home), waiting([home]))).toBe(false)
  expect(isProven(on(a, home), waiting([]))).toBe(false)
  expect(isProven(on(a, home, a), waiting([home, a]))).toBe(true)
})

test('the only device that has its block is heard where it fails at this datum and at no other', () => {
  const alone = (carriers: readonly DeviceId[], more: Partial<Jury> = {}): Jury => ({
    ...jury(carriers),
    failsAtThisOnly: device => device === a,
    ...more
  })
  expect(isProven(on(a, a), alone([a]))).toBe(false)
  expect(isProven(on(a, a, a), alone([a]))).toBe(true)
  expect(isProven(on(a, a, a), alone([a, b]))).toBe(false)
  expect(isProven(on(a, a, a), alone([a], { mayOthersCome: true }))).toBe(false)
  expect(isProven(on(b, b, b), alone([b]))).toBe(false)
})

test('what has failed for too long is given up, whoever could still try it', () => {
  expect(isProven(on(a, a, a), { ...jury([a, b]), isTooLong: true })).toBe(true)
  expect(isProven(on(a, a), { ...jury([a, b]), isTooLong: true })).toBe(false)
})

test('what one device says of others is one word, and not theirs', () => {
  const says = (accuser: DeviceId, ...devices: readonly DeviceId[]) =>
    on(...devices).map(failure => ({ ...failure, accuser }))
  expect(isProven(says(d, a, b, c, home), jury([home, a, b, c]))).toBe(false)
  expect(isProven(says(d, a, a, a), { ...jury([a]), failsAtThisOnly: () => true })).toBe(false)
  expect(isProven(says(d, home, home, home), jury([home]))).toBe(false)
  expect(isProven([...says(d, a), ...says(c, a), ...says(b, a)], jury([a]))).toBe(false)
  expect(isProven([...says(d, a, a), ...says(c, b)], jury([a, b]))).toBe(true)
})
