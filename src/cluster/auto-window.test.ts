import { expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { AutoWindow } from './auto-window.ts'

/** So many data are served at once at most, each for a second: the others wait, as many as the window allows. */
const completions = (window: AutoWindow, atOnce: number, results: number): number[] =>
  Array.from({ length: results }, () => {
    const underWay = window.size()
    window.completed({ took: seconds(Math.max(1, underWay / atOnce)), served: seconds(1), underWay })
    return window.size()
  })

test('the window grows to what is served at once and a number that waits, and stays there', () => {
  for (const atOnce of [1, 2, 5, 20, 100]) {
    const sizes = completions(new AutoWindow(), atOnce, 4000)
    const wanted = 2 + 2.2 * atOnce
    expect(sizes.slice(-500).every(size => Math.abs(size - wanted) <= 1)).toBe(true)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.max(16, wanted + 1)) // nothing swings
  }
})

test('it grows by most of itself with each round', () => {
  const window = new AutoWindow()
  completions(window, 1000, 100)
  expect(window.size()).toBeGreaterThan(60)
})

test('where less is served at once than before, fewer are under way', () => {
  const window = new AutoWindow()
  completions(window, 20, 2000)
  expect(completions(window, 5, 1000).at(-1)).toBeLessThan(15)
})

test('what is served for longer than it took, or took no time, makes no window without end', () => {
  const window = new AutoWindow()
  for (let i = 0; i < 1e5; i++) window.completed({ took: seconds(1), served: seconds(9), underWay: window.size() })
  expect(window.size()).toBeLessThanOrEqual(1024)
  const idle = new AutoWindow()
  idle.completed({ took: seconds(0), served: seconds(0), underWay: 1 })
  expect(idle.size()).toBe(16)
})

test('with a deadline no more are under way than are done in half of it', () => {
  expect(completions(new AutoWindow({ deadline: seconds(4) }), 20, 3000).at(-1)).toBe(40) // 20 results a second
  expect(completions(new AutoWindow({ deadline: seconds(0.01) }), 20, 3000).at(-1)).toBe(1)
})

test('data that cannot wait begin two at a time; of those of which the newest are wanted few wait', () => {
  expect(new AutoWindow({ deadline: seconds(1) }).size()).toBe(2)
  const fresh = new AutoWindow({ drop: 'oldest' })
  expect(fresh.size()).toBe(2)
  expect(Math.max(...completions(fresh, 1, 1000))).toBeLessThanOrEqual(3)
  expect(completions(new AutoWindow({ drop: 'oldest' }), 20, 3000).at(-1)).toBe(31)
})
