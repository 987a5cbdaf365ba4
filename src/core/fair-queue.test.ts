import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairQueue } from './fair-queue.ts'

const served = (queue: FairQueue<string>): string[] => {
  const jobs: string[] = []
  for (let job = queue.pop(); job !== undefined; job = queue.pop()) jobs.push(job)
  return jobs
}

test('one sharer: first in, first out', () => {
  const queue = new FairQueue<string>()
  for (const [name, takes] of [
    ['long', 9],
    ['short', 1],
    ['none', 0]
  ] as const)
    queue.push(0, takes, name)
  expect(served(queue)).toEqual(['long', 'short', 'none'])
})

test('equal jobs of two that come together: in turn', () => {
  const queue = new FairQueue<string>()
  for (const name of ['a1', 'a2', 'a3']) queue.push(0, 1, name)
  for (const name of ['b1', 'b2', 'b3']) queue.push(1, 1, name)
  expect(served(queue)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
})

test('short jobs wait for one long job of another, not for one each', () => {
  const queue = new FairQueue<string>()
  queue.push(0, 100, 'long1')
  queue.push(0, 100, 'long2')
  expect(queue.pop()).toBe('long1')
  for (let i = 0; i < 5; i++) queue.push(1, 1, `short${i}`)
  expect(served(queue)).toEqual(['short0', 'short1', 'short2', 'short3', 'short4', 'long2'])
})

test('who did not want it for long has saved up nothing', () => {
  const queue = new FairQueue<string>()
  for (let i = 0; i < 50; i++) queue.push(0, 1, `a${i}`)
  for (let i = 0; i < 50; i++) queue.pop()
  for (let i = 0; i < 3; i++) queue.push(0, 1, `a${i}`)
  for (let i = 0; i < 3; i++) queue.push(1, 1, `b${i}`)
  // The other's last job may still be in service: it is one ahead, and no more.
  expect(served(queue)).toEqual(['b0', 'a0', 'b1', 'a1', 'b2', 'a2'])
})

test('sharers that never stop wanting it get equal time, to within a job of each', () => {
  const jobs = fc.array(fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 40, maxLength: 40 }), {
    minLength: 2,
    maxLength: 5
  })
  fc.assert(
    fc.property(jobs, sharers => {
      const queue = new FairQueue<{ readonly sharer: number; readonly takes: number }>()
      for (const [sharer, of] of sharers.entries()) for (const takes of of) queue.push(sharer, takes, { sharer, takes })
      const time = sharers.map(() => 0)
      const left = sharers.map(of => of.length)
      for (let job = queue.pop(); job !== undefined; job = queue.pop()) {
        time[job.sharer]! += job.takes
        if (--left[job.sharer]! === 0) return
        expect(Math.max(...time) - Math.min(...time)).toBeLessThanOrEqual(20 + 1e-9)
      }
    })
  )
})
