import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { LiveTask } from '../scheduler/dispatch/live-task.ts'
import { SourceModel } from './source-model.ts'

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
const open = (over: Partial<typeof spec> & { readonly start?: Seconds } = {}) => {
  const clock = { now: 0 }
  const source = new SourceModel(0, { ...spec, ...over }, { self: deviceId('home'), now: () => seconds(clock.now) })
  /** The next datum, sent. */
  const admit = (now: number): LiveTask => {
    const due = source.nextDue(seconds(now))
    clock.now = Math.max(due, now)
    return source.task(source.admit(due))!
  }
  return { clock, source, admit }
}

test('a source whose device comes back begins its arrivals anew, with what was under way first', () => {
  const { clock, source, admit } = open()
  const first = [0, 2, 4].map(admit)
  expect(first.map(({ datum }) => datum)).toEqual([0, 1, 2])
  clock.now = 5
  source.delivered(first[1]!)
  clock.now = 20
  source.restart()
  expect([source.book.ledger.room, source.mayAdmit()]).toEqual([3, false])
  source.begin()
  const dues: number[] = []
  const data: number[] = []
  while (source.mayAdmit()) {
    dues.push(source.nextDue(seconds(20)))
    const task = admit(20)
    data.push(task.datum)
    clock.now = 30
    source.delivered(task)
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
  expect(source.nextDue(seconds(20))).toBe(30)
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
