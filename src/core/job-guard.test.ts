import { expect, test } from 'vitest'
import { createManualClock } from '../testing/manual-clock.ts'
import { InvariantError } from './invariant-error.ts'
import { JobGuard } from './job-guard.ts'
import { seconds } from './units.ts'

const guarded = () => {
  const clock = createManualClock()
  const said: string[] = []
  return { clock, said, guard: new JobGuard({ clock, say: text => said.push(text) }) }
}

const fails = (message: string) => () => {
  throw new Error(message)
}

test('an error that comes ten times a second is told once with its cause and place, counted, and told again when it lasts', async () => {
  const { clock, said, guard } = guarded()
  for (let i = 0; i < 2990; i++) {
    guard.run('planning', fails('no solver'))
    await clock.advance(seconds(0.1))
  }
  expect(said).toEqual([
    expect.stringMatching(/^planning fails: no solver \(core\/job-guard\.test\.ts:\d+\); the rest goes on$/)
  ])
  expect(guard.failures()).toMatchObject([{ job: 'planning', times: 2990, lasts: true }])
  for (let i = 0; i < 20; i++) {
    guard.run('planning', fails('no solver'))
    await clock.advance(seconds(0.1))
  }
  expect(said).toHaveLength(2)
})

test('another cause is told too; one that is new each time is told ever more rarely', async () => {
  const { clock, said, guard } = guarded()
  guard.run('planning', fails('no solver'))
  await clock.advance(seconds(2))
  guard.run('planning', fails('no memory'))
  expect(said).toHaveLength(2)
  for (let i = 0; i < 3000; i++) {
    guard.run('finding', fails(`nonce ${i}`))
    await clock.advance(seconds(0.1))
  }
  expect(said.length).toBeLessThan(2 + 12)
  expect(guard.failures()).toMatchObject([
    { times: 2 },
    { times: 3000, because: expect.stringContaining('nonce 2999') }
  ])
})

test('a job that works again is no trouble any more, but has been counted', async () => {
  const { guard } = guarded()
  expect(guard.run('counting', () => 7)).toBe(7)
  guard.run('counting', fails('broken'))
  expect(guard.troubles()).toEqual([expect.stringContaining('counting fails (once): broken')])
  guard.run('counting', () => 8)
  expect(guard.troubles()).toEqual([])
  expect(guard.failures()).toMatchObject([{ times: 1, lasts: false }])
})

test('what goes on by itself is watched likewise, and never rejects', async () => {
  const { said, guard } = guarded()
  expect(await guard.watch('fetching', Promise.resolve(3))).toBe(3)
  expect(await guard.watch('fetching', Promise.reject(new Error('gone\nfor good')))).toBe(undefined)
  expect(await guard.watch('fetching', Promise.reject('a string'))).toBe(undefined)
  expect(said[0]).toContain('fetching fails: gone for good')
  expect(guard.failures()).toMatchObject([{ times: 2, because: 'a string' }])
})

test('a job that is done again and again goes on after errors, and ends with its signal', async () => {
  const { clock, guard } = guarded()
  const over = new AbortController()
  let times = 0
  const job = guard.every(
    'looking',
    () => seconds(1),
    () => {
      if (++times % 2 === 0) throw new Error('even')
    },
    { clock, signal: over.signal }
  )
  await clock.advance(seconds(9.5))
  expect(times).toBe(10)
  expect(guard.failures()).toMatchObject([{ times: 5 }])
  over.abort()
  await job
})

test('where the clock itself fails, that is not survived', async () => {
  const { guard } = guarded()
  const fatal: Error[] = []
  guard.onFatal(error => fatal.push(error))
  const clock = { now: () => seconds(0), sleep: () => Promise.reject(new Error('no time')) }
  await guard.every(
    'looking',
    () => seconds(1),
    () => {},
    { clock, signal: new AbortController().signal }
  )
  expect(fatal).toMatchObject([{ message: 'looking has ended: no time' }])
})

test('a broken invariant is handed on once, also to who asks later, and what says it may fail itself', () => {
  const clock = createManualClock()
  const guard = new JobGuard({ clock, say: fails('the log is full') })
  guard.run('counting', () => {
    throw new InvariantError('one datum too many')
  })
  guard.run('counting', () => {
    throw new InvariantError('another')
  })
  const fatal: string[] = []
  guard.onFatal(({ message }) => fatal.push(message))
  expect(fatal).toEqual(['one datum too many'])
})
