import { expect, test } from 'vitest'
import { Crowd } from '../../src/testing/simulated/crowd.ts'

/** Simulated seconds. */
const SPAN = 10

test.each([6, 30])(
  'of %i devices each says no more than a hundred things a second, and a silent one is missed in time',
  async size => {
    const crowd = new Crowd(size)
    expect(await crowd.takes(() => crowd.know(size))).toBeLessThan(2)
    crowd.work(4 * SPAN)
    const { messages, bytes, states } = await crowd.rates(SPAN)
    expect(messages).toBeGreaterThan(1)
    expect(messages).toBeLessThanOrEqual(110)
    expect(bytes).toBeLessThanOrEqual(20_000)
    expect(states).toBeLessThanOrEqual(1.1)
    const comer = crowd.add('comer')
    expect(await crowd.takes(() => crowd.know(size + 1))).toBeLessThan(2)
    crowd.silence(comer)
    expect(await crowd.takes(() => crowd.hasLost(comer))).toBeLessThan(4)
  }
)
