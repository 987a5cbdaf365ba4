import { expect, it } from 'vitest'
import { seconds } from '../core/units.ts'
import { BacklogTable } from './backlog-table.ts'
import type { Report, TaskState } from './policy.ts'

const task = (datum: number): TaskState => ({
  source: 'door',
  datum,
  model: 0,
  home: 0,
  weight: 1,
  isBacklogged: false,
  lag: seconds(0),
  availableAt: seconds(0),
  arrivedAt: seconds(0),
  done: 0
})

const report = (backlog: number, received: number): Report => ({
  backlog: seconds(backlog),
  commitments: [],
  received: [{ device: 0, tasks: received }]
})

const tableWith = (...data: readonly number[]): BacklogTable => {
  const table = new BacklogTable(0)
  for (const datum of data) table.sent(task(datum), 1, seconds(10 ** datum))
  return table
}

it('is what a device said plus what was sent since, until it says that it came', () => {
  const table = tableWith(0, 1, 2)
  expect(table.backlog(1)).toBe(111)
  table.heard(1, report(5, 2))
  expect(table.backlog(1)).toBe(105)
  table.heard(1, report(7, 3))
  expect(table.backlog(1)).toBe(7)
})

it('forgets a task that was not taken: its sender would think the device busy for ever', () => {
  const table = tableWith(0, 1, 2)
  table.returned(task(1), 1)
  expect(table.backlog(1)).toBe(101)
  table.heard(1, report(0, 2))
  expect(table.backlog(1)).toBe(0)
  table.returned(task(9), 1)
  expect(table.backlog(1)).toBe(0)
})

it('takes a smaller count for a device that started anew', () => {
  const table = tableWith(0, 1)
  table.heard(1, report(3, 1))
  table.heard(1, report(0, 0))
  expect(table.backlog(1)).toBe(0)
})
