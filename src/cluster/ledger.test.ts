import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { Ledger } from './ledger.ts'

test('what has an outcome without having been admitted is known, and counted nowhere', () => {
  const ledger = new Ledger({ window: 2 })
  ledger.passOver(0)
  expect(() => ledger.admit(0)).toThrow('datum 0 was admitted before')
  expect(ledger.counts()).toMatchObject({ admitted: 0, done: 0, dropped: 0 })
})

const porch = deviceId('porch')
const shed = deviceId('shed')

const sent = (ledger: Ledger, datum = 0): { datum: number; attempt: number } => {
  ledger.admit(datum)
  return { datum, attempt: ledger.dispatched(datum)! }
}

test('a datum is owed from its admission until its result is in the sink', () => {
  const ledger = new Ledger({ window: 2 })
  sent(ledger)
  const seen = [ledger.counts()]
  expect(ledger.result(0)).toBe('first')
  seen.push(ledger.counts())
  ledger.written(0)
  seen.push(ledger.counts())
  expect(seen.map(({ admitted, outstanding, done }) => [admitted, outstanding, done])).toEqual([
    [1, 1, 0],
    [1, 1, 0],
    [1, 0, 1]
  ])
})

test('no more are admitted than the window has room for', () => {
  const ledger = new Ledger({ window: 1 })
  sent(ledger)
  expect(ledger.room).toBe(0)
  expect(() => ledger.admit(1)).toThrow('the window of 1 is full')
  ledger.result(0)
  ledger.written(0)
  expect(ledger.room).toBe(1)
  expect(() => ledger.admit(0)).toThrow('datum 0 was admitted before')
})

test('results that wait for the sink leave room, until a window of them waits', () => {
  const ledger = new Ledger({ window: 2 })
  const room = [0, 1, 2, 3].map(datum => {
    sent(ledger, datum)
    ledger.result(datum)
    return ledger.room
  })
  expect(room).toEqual([2, 2, 1, 0])
  ledger.written(2)
  expect(ledger.room).toBe(1)
})

test('everything that a lost device had is sent again, and nothing else', () => {
  const ledger = new Ledger({ window: 4 })
  for (const datum of [0, 1, 2, 3]) sent(ledger, datum)
  ledger.custody({ datum: 0, attempt: 1 }, porch)
  ledger.custody({ datum: 1, attempt: 1 }, shed)
  ledger.custody({ datum: 2, attempt: 1 }, porch)
  ledger.custody({ datum: 2, attempt: 1 }, shed) // passed on
  expect(ledger.deviceLost(porch)).toEqual([0])
  expect(ledger.toSend()).toEqual([0])
  expect(ledger.dispatched(0)).toBe(2)
  expect(ledger.counts().resent).toBe(1)
})

test('a device that dies before it says that it has a datum loses it all the same', () => {
  const ledger = new Ledger({ window: 1 })
  const dispatch = sent(ledger)
  ledger.custody(dispatch, porch)
  expect(ledger.lost(dispatch, shed)).toBe(true) // porch gave it to shed, and shed is gone
  expect(ledger.lost(dispatch, shed)).toBe(false) // told twice
})

test('a lost device that is known to have passed a datum on does not have it', () => {
  const ledger = new Ledger({ window: 1 })
  const dispatch = sent(ledger)
  ledger.custody(dispatch, porch)
  ledger.custody(dispatch, shed)
  expect(ledger.lost(dispatch, porch)).toBe(false)
})

test('what is said of an earlier attempt is old news, but its result counts', () => {
  const ledger = new Ledger({ window: 1 })
  const first = sent(ledger)
  ledger.custody(first, porch)
  ledger.deviceLost(porch)
  ledger.dispatched(0)
  ledger.custody(first, shed)
  expect(ledger.deviceLost(shed)).toEqual([])
  expect(ledger.lost(first, shed)).toBe(false)
  expect(ledger.cameBack(first)).toBe(false)
  expect(ledger.result(0)).toBe('first')
  expect(ledger.result(0)).toBe('duplicate')
})

test('a datum whose late result comes while it is read again is not sent again', () => {
  const ledger = new Ledger({ window: 1 })
  expect(ledger.cameBack(sent(ledger))).toBe(true)
  expect(ledger.result(0)).toBe('first')
  expect(ledger.dispatched(0)).toBeUndefined()
})

test('what comes back is sent again, once for each dispatch, and is held by nobody meanwhile', () => {
  const ledger = new Ledger({ window: 2 })
  const a = sent(ledger, 0)
  sent(ledger, 1)
  ledger.custody(a, porch)
  ledger.custody(a, shed)
  expect([...ledger.holders(0)]).toEqual([porch, shed])
  expect([ledger.cameBack(a), ledger.cameBack(a)]).toEqual([true, false])
  expect(ledger.toSend()).toEqual([0])
  expect([...ledger.holders(0)]).toEqual([])
  expect(ledger.dispatched(0)).toBe(2)
  expect([...ledger.holders(0)]).toEqual([])
})

test('what is given up is owed until that is in the sink', () => {
  const ledger = new Ledger({ window: 1 })
  sent(ledger)
  expect(ledger.fail(0, 'no memory')).toBe(true)
  expect(ledger.result(0)).toBe('duplicate') // a datum has one line
  expect(ledger.counts()).toMatchObject({ admitted: 1, outstanding: 1, failed: 0 })
  expect(ledger.room).toBe(1)
  ledger.written(0)
  expect(ledger.failures()).toEqual([{ datum: 0, because: 'no memory' }])
  expect(ledger.counts()).toMatchObject({ admitted: 1, outstanding: 0, done: 0, failed: 1 })
  expect(ledger.result(0)).toBe('duplicate')
  expect(() => ledger.admit(0)).toThrow('datum 0 was admitted before')
})

test('a result that nothing can be made of is a failure, and one that never came cannot be refused', () => {
  const ledger = new Ledger({ window: 1 })
  ledger.admit(0)
  ledger.dispatched(0)
  expect(() => ledger.refuse(0, 'odd')).toThrow('datum 0 has no result to be refused')
  ledger.result(0)
  ledger.refuse(0, 'odd')
  ledger.written(0)
  expect(ledger.counts()).toMatchObject({ done: 0, failed: 1, outstanding: 0 })
  expect(ledger.failures()).toEqual([{ datum: 0, because: 'odd' }])
})

test('a datum is given up at any time before its result, once', () => {
  const ledger = new Ledger({ window: 3 })
  expect(ledger.fail(0, 'never admitted')).toBe(false)
  ledger.admit(0)
  const dispatch = sent(ledger, 1)
  expect([ledger.fail(0, 'not sent'), ledger.fail(1, 'on its way'), ledger.fail(1, 'again')]).toEqual([
    true,
    true,
    false
  ])
  expect(ledger.cameBack(dispatch)).toBe(false)
  expect(ledger.toSend()).toEqual([])
  sent(ledger, 2)
  ledger.result(2)
  expect(ledger.fail(2, 'has a result')).toBe(false)
  for (const datum of [0, 1, 2]) ledger.written(datum)
  expect(ledger.fail(2, 'is done')).toBe(false)
  expect(ledger.failures()).toEqual([
    { datum: 0, because: 'not sent' },
    { datum: 1, because: 'on its way' }
  ])
  expect(ledger.counts()).toMatchObject({ admitted: 3, done: 1, failed: 2, outstanding: 0 })
})

test('a datum is sent again for as long as devices are lost', () => {
  const ledger = new Ledger({ window: 1 })
  ledger.admit(0)
  for (let attempt = 1; attempt < 50; attempt++) {
    expect(ledger.dispatched(0)).toBe(attempt)
    ledger.custody({ datum: 0, attempt }, porch)
    expect(ledger.deviceLost(porch)).toEqual([0])
  }
})

test('a result of an earlier run is a duplicate when it is in the sink, and a stranger when nobody asked for it yet', () => {
  const ledger = new Ledger({ window: 1, done: new Set([0]) })
  expect([ledger.result(0), ledger.result(7)]).toEqual(['duplicate', 'stranger'])
  expect(() => ledger.admit(0)).toThrow('datum 0 was admitted before')
  ledger.admit(7)
  expect(ledger.result(7)).toBe('first')
})

/** Anything the world can do to a source, in any order. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'admit' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'send' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'custody' as const,
        'lost' as const,
        'cameBack' as const,
        'fail' as const,
        'result' as const,
        'written' as const
      ),
      datum: fc.nat(12),
      attempt: fc.integer({ min: 1, max: 4 }),
      device: fc.constantFrom(porch, shed)
    })
  },
  fc.record({ kind: fc.constant('deviceLost' as const), device: fc.constantFrom(porch, shed) })
)

test('whatever happens: admitted = done + outstanding + failed, each datum counts once, and each is done in the end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(event, { maxLength: 200 }), (window, events) => {
      const ledger = new Ledger({ window })
      const firsts: number[] = []
      const written: number[] = []
      const givenUp: number[] = []
      let next = 0
      const write = (datum: number): void => {
        if (!(firsts.includes(datum) || givenUp.includes(datum)) || written.includes(datum)) return
        ledger.written(datum)
        written.push(datum)
      }
      const result = (datum: number): void => {
        if (ledger.result(datum) === 'first') firsts.push(datum)
      }
      const check = (): void => {
        const { admitted, done, outstanding, failed } = ledger.counts()
        expect(admitted).toBe(done + outstanding + failed)
        expect(admitted).toBe(next)
        expect(done + failed).toBe(written.length)
        expect(failed).toBe(ledger.failures().length)
        const waiting = firsts.length + givenUp.length - written.length
        expect(outstanding - waiting).toBeLessThanOrEqual(window)
        expect(outstanding).toBeLessThanOrEqual(2 * window)
        expect(new Set([...firsts, ...givenUp]).size).toBe(firsts.length + givenUp.length)
      }
      for (const e of events) {
        if (e.kind === 'admit') {
          if (ledger.room > 0) ledger.admit(next++)
        } else if (e.kind === 'send') for (const datum of ledger.toSend()) ledger.dispatched(datum)
        else if (e.kind === 'custody') ledger.custody(e, e.device)
        else if (e.kind === 'lost') ledger.lost(e, e.device)
        else if (e.kind === 'cameBack') ledger.cameBack(e)
        else if (e.kind === 'fail') {
          if (ledger.fail(e.datum, 'because')) givenUp.push(e.datum)
        } else if (e.kind === 'result') result(e.datum)
        else if (e.kind === 'written') write(e.datum)
        else if (e.kind === 'deviceLost') ledger.deviceLost(e.device)
        check()
      }
      // The world calms down: what is owed is sent, computed and written.
      for (const datum of ledger.toSend()) ledger.dispatched(datum)
      for (let datum = 0; datum < next; datum++) result(datum)
      for (let datum = 0; datum < next; datum++) write(datum)
      check()
      const failed = givenUp.length
      expect(ledger.counts()).toMatchObject({ admitted: next, done: next - failed, outstanding: 0, failed })
    })
  )
})
