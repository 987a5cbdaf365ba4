import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AdmissionTerms, DROP_RULES, PATIENT_TERMS } from '../core/admission-terms.ts'
import { seconds } from '../core/units.ts'
import { WaitingRoom } from './waiting-room.ts'

const roomOf = (terms: Partial<AdmissionTerms>) => new WaitingRoom<string>({ ...PATIENT_TERMS, ...terms })

test('a full queue keeps the newest, keeps the oldest, or asks whoever brings data to wait', () => {
  const keepsNewest = roomOf({ drop: 'oldest', queue: 2 })
  const keepsOldest = roomOf({ drop: 'newest', queue: 2 })
  const waits = roomOf({ drop: 'none', queue: 1 })
  const fill = (room: WaitingRoom<string>) => ['a', 'b', 'c'].map((datum, i) => room.offer(datum, seconds(i)))
  expect(fill(keepsNewest)).toEqual([undefined, undefined, { datum: 'a', reason: 'queueFull' }])
  expect(fill(keepsOldest)).toEqual([undefined, undefined, { datum: 'c', reason: 'queueFull' }])
  expect(keepsNewest.take(seconds(3))?.datum).toBe('b')
  expect(keepsOldest.take(seconds(3))?.datum).toBe('a')
  waits.offer('a', seconds(0))
  expect(waits.isFull).toBe(true)
  expect(() => waits.offer('b', seconds(0))).toThrow('queue of 1 is full')
})

test('what waited until its deadline goes, and the rest stays', () => {
  const room = roomOf({ deadline: seconds(0.5), queue: 9 })
  for (const [i, datum] of ['a', 'b', 'c'].entries()) room.offer(datum, seconds(i / 4))
  expect(room.expiresAt).toBe(0.5)
  expect(room.expire(seconds(0.75))).toEqual(['a', 'b'].map(datum => ({ datum, reason: 'deadline' })))
  expect(room.take(seconds(0.75))?.datum).toBe('c')
  expect(room.expiresAt).toBe(Number.POSITIVE_INFINITY)
})

test('a rate spaces what is taken, and one taken late does not lower it', () => {
  const room = roomOf({ rate: 2, queue: 9 })
  for (const datum of ['a', 'b', 'c']) room.offer(datum, seconds(0))
  expect(room.take(seconds(0))?.datum).toBe('a')
  expect(room.take(seconds(0.4))).toBeUndefined()
  expect(room.permittedAt).toBe(0.5)
  expect(room.take(seconds(0.7))?.datum).toBe('b')
  expect(room.permittedAt).toBe(1)
})

test('whatever comes: each datum is taken, dropped or waits, exactly once, and the rate is kept in the long run', () => {
  const terms = fc.record({
    deadline: fc.integer({ min: 1, max: 20 }).map(seconds),
    drop: fc.constantFrom(...DROP_RULES),
    queue: fc.integer({ min: 1, max: 5 }),
    rate: fc.constantFrom(0.5, 2, Number.POSITIVE_INFINITY),
    late: fc.constant('finish' as const)
  })
  const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean()), { maxLength: 60 })
  fc.assert(
    fc.property(terms, events, (rule, log) => {
      const room = new WaitingRoom<number>(rule)
      const [taken, dropped]: number[][] = [[], []]
      let [came, now] = [0, 0]
      for (const [pause, comes] of log) {
        now += pause
        for (const { datum } of room.expire(seconds(now))) dropped!.push(datum)
        if (comes && !(rule.drop === 'none' && room.isFull)) {
          const gone = room.offer(came++, seconds(now))
          if (gone !== undefined) dropped!.push(gone.datum)
        } else if (!comes) {
          const next = room.take(seconds(now))
          if (next !== undefined) taken!.push(next.datum)
        }
        expect(room.size).toBeLessThanOrEqual(rule.queue)
      }
      expect(taken).toEqual([...taken!].sort((a, b) => a - b))
      expect(taken!.length).toBeLessThanOrEqual(1 + (now + 1) * rule.rate)
      const all = [...taken!, ...dropped!, ...room.clear()].sort((a, b) => a - b)
      expect(all).toEqual(Array.from({ length: came }, (_, datum) => datum))
    })
  )
})

test('what cannot be done by its deadline lets those go first that can; where none can, the last goes', () => {
  const room = roomOf({ deadline: seconds(1), queue: 9 })
  for (const [i, datum] of ['a', 'b', 'c'].entries()) room.offer(datum, seconds(i / 4))
  expect(room.take(seconds(0.75), seconds(0.5))?.datum).toBe('b') // a is due at 1, b at 1.25
  expect(room.take(seconds(0.75), seconds(0.9))?.datum).toBe('c')
  expect(room.take(seconds(0.75))?.datum).toBe('a')
  expect(room.take(seconds(0.75))).toBeUndefined()
})
