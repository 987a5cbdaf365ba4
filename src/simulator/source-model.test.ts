import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
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

const admitNext = (source: SourceModel, now: number): number => {
  const due = source.nextDue(seconds(now))
  return source.admit(due, seconds(Math.max(due, now))).datum
}

test('a source whose device comes back begins its arrivals anew, with what was under way first', () => {
  const source = new SourceModel(0, spec)
  const first = [0, 2, 4].map(now => admitNext(source, now))
  expect(first).toEqual([0, 1, 2])
  source.delivered(source.flights.get(1)!, seconds(5))
  source.restart(seconds(20))
  expect(source.flights.size).toBe(0)
  const dues: number[] = []
  const data: number[] = []
  while (source.mayAdmit()) {
    dues.push(source.nextDue(seconds(20)))
    data.push(admitNext(source, 20))
    source.delivered([...source.flights.values()][0]!, seconds(30))
  }
  expect(data).toEqual([0, 2, 3, 4])
  expect(dues).toEqual([20, 22, 24, 26])
  expect(source.isDone).toBe(true)
  expect(source.admitted).toBe(5)
})

test('a source that is to start later than its device comes back waits for that', () => {
  const source = new SourceModel(0, { ...spec, start: seconds(30) })
  source.restart(seconds(20))
  expect(source.nextDue(seconds(20))).toBe(30)
})
