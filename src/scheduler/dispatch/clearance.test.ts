import { expect, test } from 'vitest'
import { seconds } from '../../core/units.ts'
import { Clearance } from './clearance.ts'

const desk = () => {
  const clearance = new Clearance()
  const log: string[] = []
  const ask = (from: number, at: number, weight = 1): void =>
    clearance.ask({ from, weight, grant: () => log.push(`${from} may`) }, seconds(at))
  return { clearance, log, ask }
}

test('one at a time is cleared, the heaviest first', () => {
  const { clearance, log, ask } = desk()
  ask(1, 0)
  ask(2, 0)
  ask(3, 0, 5)
  expect(log).toEqual(['1 may'])
  clearance.end(1, seconds(1))
  clearance.end(3, seconds(2))
  expect(log).toEqual(['1 may', '3 may', '2 may'])
})

test('who asks again before it was cleared is cleared once', () => {
  const { clearance, log, ask } = desk()
  ask(1, 0)
  ask(2, 0)
  ask(2, 2)
  ask(2, 4)
  clearance.end(1, seconds(5))
  clearance.end(2, seconds(6))
  expect(log).toEqual(['1 may', '2 may'])
})

test('one whose clearance was lost on the way does not keep the others waiting for ever', () => {
  const { log, ask } = desk()
  ask(1, 0)
  ask(2, 1)
  ask(2, 9)
  expect(log).toEqual(['1 may'])
  ask(2, 11)
  expect(log).toEqual(['1 may', '2 may'])
})
