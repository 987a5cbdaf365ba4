import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseSplit, type MeasuredSplit } from './choose-split.ts'

/** Like ResNet-50 on two cores: two threads make one datum 1.6 times as fast, two lanes serve two in the time of one. */
const WIDE: MeasuredSplit = { lanes: 1, threads: 2, alone: 0.049, busy: 0.049 }
const MANY: MeasuredSplit = { lanes: 2, threads: 1, alone: 0.078, busy: 0.082 }
const NARROW: MeasuredSplit = { lanes: 1, threads: 1, alone: 0.078, busy: 0.078 }
const ALL = [WIDE, MANY, NARROW]

const at = (used: number, current = WIDE, mostLanes = 8): string => {
  const { lanes, threads } = chooseSplit(ALL, current, { used, mostLanes })
  return `${lanes} x ${threads}`
}

test('at low load a datum is to be done soonest, when saturated most are', () => {
  expect(at(0)).toBe('1 x 2')
  expect(at(0.3)).toBe('1 x 2')
  expect(at(1)).toBe('2 x 1')
  expect(at(1, MANY)).toBe('2 x 1')
  expect(at(0.05, MANY)).toBe('1 x 2')
})

test('more copies than there is room for are not made', () => {
  expect(at(1, WIDE, 1)).toBe('1 x 2')
  // One that has no room any more is left, whatever it serves.
  expect(at(1, MANY, 1)).toBe('1 x 2')
})

test('a block that threads make slower gets one', () => {
  const wide = { ...WIDE, alone: 0.012, busy: 0.012 }
  const narrow = { ...NARROW, alone: 0.009, busy: 0.009 }
  expect(chooseSplit([wide, narrow], wide, { used: 0, mostLanes: 1 })).toBe(narrow)
})

const times = fc.double({ min: 0.001, max: 1, noNaN: true })
const split = fc
  .record({ lanes: fc.integer({ min: 1, max: 8 }), threads: fc.integer({ min: 1, max: 8 }), alone: times, more: times })
  .map(({ more, ...rest }): MeasuredSplit => ({ ...rest, busy: rest.alone + more }))

test('what is chosen stays chosen while the load stays', () => {
  fc.assert(
    fc.property(
      fc.array(split, { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0, max: 0.85, noNaN: true }),
      (splits, share) => {
        const capacity = ({ lanes, busy }: MeasuredSplit): number => lanes / busy
        const rate = share * Math.max(...splits.map(capacity))
        const load = (current: MeasuredSplit) => ({ used: Math.min(1, rate / capacity(current)), mostLanes: 8 })
        let current = splits[0]!
        // Overload is told from load only in a split that can keep up: two changes at most.
        for (let i = 0; i < 2; i++) current = chooseSplit(splits, current, load(current))
        expect(chooseSplit(splits, current, load(current))).toBe(current)
      }
    )
  )
})

test('when saturated, none that is left serves a twentieth more', () => {
  fc.assert(
    fc.property(fc.array(split, { minLength: 1, maxLength: 5 }), splits => {
      const chosen = chooseSplit(splits, splits[0]!, { used: 1, mostLanes: 8 })
      for (const { lanes, busy } of splits) expect(lanes / busy).toBeLessThan((1.06 * chosen.lanes) / chosen.busy)
    })
  )
})
