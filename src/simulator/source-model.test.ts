import { expect, test } from 'vitest'
import { WindowStretch } from '../cluster/window-stretch.ts'
import { PATIENT_TERMS } from '../core/admission-terms.ts'
import { deviceId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import type { SimulatedSource } from './simulation-input.ts'
import { SourceModel } from './source-model.ts'

const alone = new WindowStretch({ self: deviceId('home'), now: () => seconds(0) })

const spec = {
  name: 'cam',
  device: 0,
  model: 0,
  weight: 1,
  count: 5,
  window: 3,
  availableAt: (datum: number) => seconds(datum * 2)
}

/** On a clock that stands where the test puts it. */
const open = (over: Partial<SimulatedSource> = {}) => {
  const clock = { now: 0 }
  const parts = {
    self: deviceId('home'),
    now: () => seconds(clock.now),
    stretch: () => alone,
    ended: () => ended.count++
  }
  const ended = { count: 0 }
  const source = new SourceModel(0, { ...spec, ...over }, parts)
  /** The next datum, sent. */
  const admit = (now: number): LiveTask => {
    clock.now = now
    let datum = source.admit()
    while (datum === undefined) {
      clock.now = source.nextAt!
      datum = source.admit()
    }
    return source.task(datum)!
  }
  return { clock, source, admit, ended }
}

test('a source whose device comes back begins its arrivals anew, with what was under way first', () => {
  const { clock, source, admit } = open()
  const first = [0, 2, 4].map(admit)
  expect(first.map(({ datum }) => datum)).toEqual([0, 1, 2])
  clock.now = 5
  source.delivered(first[1]!)
  clock.now = 20
  source.restart()
  expect([source.book.ledger.room, source.mayAdmit]).toEqual([3, false])
  source.begin()
  const dues: number[] = []
  const data: number[] = []
  clock.now = 20
  while (source.mayAdmit && source.nextAt !== undefined) {
    const task = admit(20)
    dues.push(task.availableAt)
    data.push(task.datum)
    source.delivered(task)
    clock.now = 20
  }
  expect(data).toEqual([0, 2, 3, 4])
  expect(dues).toEqual([20, 22, 24, 26])
  expect(source.isDone).toBe(true)
  expect(source.admitted).toBe(5)
})

test('a source that is to start later than its device comes back waits for that', () => {
  const { clock, source } = open({ start: seconds(30) })
  clock.now = 20
  source.restart()
  source.begin()
  expect([source.admit(), source.nextAt]).toEqual([undefined, 30])
})

test('a result of before its device went counts only for a datum that is under way again, and a second one never', () => {
  const { source, admit } = open()
  const [before, other] = [admit(0), admit(2)]
  source.restart()
  source.begin()
  expect(source.delivered(before)).toBe(false) // not admitted again yet: it will be computed anew
  expect(admit(20).datum).toBe(before.datum)
  expect(source.delivered(before)).toBe(true)
  expect(source.delivered(before)).toBe(false)
  expect(source.delivered(other)).toBe(false)
})

test('what is sent again is another dispatch of the same datum, available when it was', () => {
  const { source, admit, clock } = open()
  const { datum, attempt, availableAt } = admit(0)
  clock.now = 1
  expect(source.book.lost({ datum, attempt }, deviceId('home'))).toBe(0)
  expect(source.task(datum)).toMatchObject({ datum, attempt: 2, availableAt, arrivedAt: 1 })
  expect(source.task(datum)).toBeUndefined()
  expect(source.resent).toBe(1)
})

test('what comes while the window is full is dropped as it would have been then, and each datum ends once', () => {
  const { clock, source, admit, ended } = open({
    window: 1,
    count: 8,
    terms: { ...PATIENT_TERMS, drop: 'oldest', queue: 2, deadline: seconds(5) }
  })
  const first = admit(0)
  clock.now = 8 // 1 came at 2, 2 at 4, 3 at 6, 4 at 8: of them two wait, and none is of before 3
  source.delivered(first)
  // A datum takes 8 s: none can be done in 5, and 4 has most time left.
  expect([source.admit(), source.dropped, ended.count]).toEqual([4, 2, 3])
  clock.now = 13 // 3 of 6 is too late, 5 of 10 and 6 of 12 are not
  source.delivered(source.task(4)!)
  expect([source.admit(), source.dropped, source.admitted]).toEqual([6, 3, 7])
  source.restart()
  source.begin()
  expect([admit(13).datum, source.dropped, source.admitted]).toEqual([5, 3, 7])
})

test('a saturated source keeps to its rate', () => {
  const { clock, source, admit } = open({ availableAt: undefined, terms: { ...PATIENT_TERMS, rate: 2, queue: 4 } })
  expect([0, 0, 0.7].map(now => admit(now).availableAt)).toEqual([0, 0.5, 1])
  expect([clock.now, source.mayAdmit]).toEqual([1, false])
})
