import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { isProven, type Jury } from './is-proven.ts'

const [home, a, b] = ['home', 'a', 'b'].map(deviceId) as [
  ReturnType<typeof deviceId>,
  ReturnType<typeof deviceId>,
  ReturnType<typeof deviceId>
]
const on = (...devices: readonly (typeof home)[]) => devices.map(device => ({ device, block: 0, because: 'NaN' }))
const jury = (over: Partial<Jury> = {}): Jury => ({
  home,
  isDiscredited: () => false,
  isThereAnother: () => true,
  ...over
})

test('one device that fails a datum, however often, proves nothing while others could try it', () => {
  expect(isProven(on(a, a, a, a, a, a, a, a), jury())).toBe(false)
  expect(isProven(on(home, home, home, home), jury())).toBe(false)
})

test('different devices do, when it was tried three times', () => {
  expect(isProven(on(a, home), jury())).toBe(false)
  expect(isProven(on(a, home), jury({ isThereAnother: () => false }))).toBe(true) // nobody is left to try it a third time
  expect(isProven(on(a, home, b), jury())).toBe(true)
  expect(isProven(on(a, a, b), jury())).toBe(true)
})

test('home does where there is nobody else, another device does not: the datum waits for somebody who can try it', () => {
  const alone = jury({ isThereAnother: () => false })
  expect(isProven(on(home, home), alone)).toBe(false)
  expect(isProven(on(home, home, home), alone)).toBe(true)
  expect(isProven(on(a, a, a, a, a, a), alone)).toBe(false)
})

test('devices that fail at what others can do are no witnesses', () => {
  const knows = jury({ isDiscredited: device => device === a || device === b })
  expect(isProven(on(a, b, a, b), knows)).toBe(false)
  expect(isProven(on(a, b, home), knows)).toBe(false)
})
