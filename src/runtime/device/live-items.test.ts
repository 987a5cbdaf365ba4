import { expect, test } from 'vitest'
import { type AdmissionTerms, PATIENT_TERMS } from '../../core/admission-terms.ts'
import { seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { LiveItems } from './live-items.ts'

const liveWith = (terms: Partial<AdmissionTerms>, most?: number) => {
  const clock = createManualClock()
  const log: string[] = []
  const live = new LiveItems({
    ...{ terms: { ...PATIENT_TERMS, ...terms }, clock },
    ...(most === undefined ? {} : { most }),
    dropped: async ({ datum }, reason) => void log.push(`${datum} ${reason}`)
  })
  const items = live[Symbol.asyncIterator]()
  const next = async () => (await items.next()).value?.datum
  return { clock, log, live, next }
}
const settle = () => new Promise(resolve => setImmediate(resolve))

test('whoever brings more than fits waits where nothing may be dropped, and goes in when something is taken', async () => {
  const { live, next, clock } = liveWith({ queue: 1 })
  await live.offer({ name: 'a' })
  const second = live.offer({ name: 'b' })
  await settle()
  expect(live.taken).toBe(1)
  await clock.advance(seconds(2))
  expect(await next()).toBe(0)
  expect(await second).toBe(1)
  expect((await live[Symbol.asyncIterator]().next()).value).toMatchObject({ item: { name: 'b' }, since: 0 })
})

test('the newest are kept, and what waited past the deadline goes without being asked for', async () => {
  const { live, next, clock, log } = liveWith({ drop: 'oldest', queue: 2, deadline: seconds(1) })
  for (const name of ['a', 'b', 'c']) await live.offer({ name })
  await clock.advance(seconds(0.5))
  await live.offer({ name: 'd' })
  await clock.advance(seconds(0.5))
  live.tick()
  expect(log).toEqual(['0 queueFull', '1 queueFull', '2 deadline'])
  expect(await next()).toBe(3)
})

test('whoever waits for an item is woken by one, by the rate, and by the end', async () => {
  const { live, next, clock } = liveWith({ rate: 2, queue: 2 })
  const first = next()
  await settle()
  live.put({ name: 'a' })
  live.put({ name: 'b' })
  expect(await first).toBe(0)
  const second = next()
  await clock.advance(seconds(0.49))
  let has = false
  void second.then(() => {
    has = true
  })
  await settle()
  expect(has).toBe(false)
  await clock.advance(seconds(0.02))
  expect(await second).toBe(1)
  const third = next()
  live.close()
  expect(await third).toBeUndefined()
})

test('what waits when it is closed is dropped, and nobody goes in after', async () => {
  const { live, next, log } = liveWith({ queue: 1 })
  await live.offer({ name: 'a' })
  const late = live.offer({ name: 'b' })
  live.close()
  expect([await late, await live.offer({ name: 'c' }), await next()]).toEqual([undefined, undefined, undefined])
  expect(log).toEqual(['0 stopped'])
})

test('a flood waits while too many of its drops are not safe', async () => {
  const safe: (() => void)[] = []
  const live = new LiveItems({
    ...{ terms: { ...PATIENT_TERMS, drop: 'oldest' as const }, clock: createManualClock() },
    dropped: () => new Promise<void>(resolve => safe.push(resolve))
  })
  void (async () => {
    for (let i = 0; i < 1000; i++) await live.offer({ name: String(i) })
  })()
  await settle()
  expect(live.taken).toBe(257)
  safe.shift()!()
  await settle()
  expect(live.taken).toBe(258)
})

test('no more are taken than were asked for, though many come at once and wait', async () => {
  const { live, next } = liveWith({ queue: 1 }, 2)
  const offered = ['a', 'b', 'c', 'd'].map(name => live.offer({ name }))
  expect(await next()).toBe(0)
  expect(await next()).toBe(1)
  expect(await Promise.all(offered)).toEqual([0, 1, undefined, undefined])
  expect([live.taken, live.ended, await next()]).toEqual([2, true, undefined])
})
