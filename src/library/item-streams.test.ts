import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Outcome } from './outcome.ts'
import { OutcomeReader } from './outcome-reader.ts'
import { PulledItems } from './pulled-items.ts'

const x = { dims: [1], data: [1] }
const outcome = (datum: number): Outcome => ({ source: 's', datum, item: String(datum), kind: 'failed', cause: '' })
const settle = () => new Promise(resolve => setImmediate(resolve))

test('an iterable is asked for the next item only when one is wanted, and numbered', async () => {
  let asked = 0
  const items = new PulledItems(
    (function* () {
      for (;;) {
        asked++
        yield x
      }
    })()
  )
  const stream = items[Symbol.asyncIterator]()
  expect((await stream.next()).value).toMatchObject({ datum: 0, item: { name: '0' } })
  expect((await stream.next()).value.datum).toBe(1)
  expect([asked, items.taken]).toEqual([2, 2])
})

test('what an iterable throws ends it and is kept; one that is closed lets go of it, waited for or not', async () => {
  const failing = new PulledItems(
    (async function* () {
      yield x
      throw new Error('camera gone')
    })()
  )
  const numbers: number[] = []
  for await (const { datum } of failing) numbers.push(datum)
  expect([numbers, failing.failure?.error]).toEqual([[0], new Error('camera gone')])
  let released = 0
  const never = {
    next: () => new Promise<never>(() => {}),
    return: async () => ({ done: true as const, value: ++released })
  }
  const waiting = new PulledItems({ [Symbol.asyncIterator]: () => never })
  const next = waiting[Symbol.asyncIterator]().next()
  waiting.close()
  expect([(await next).done, released]).toEqual([true, 1])
})

test('outcomes wait for a slow reader, and whoever delivers them waits too', async () => {
  const reader = new OutcomeReader(2)
  let delivered = 0
  const deliver = async (datum: number) => {
    await reader.room()
    reader.deliver(outcome(datum))
    delivered++
  }
  const all = [0, 1, 2].map(deliver)
  await settle()
  expect(delivered).toBe(2)
  expect((await reader.next()).value?.datum).toBe(0)
  await Promise.all(all)
  reader.close({ error: new Error('no more') })
  expect([(await reader.next()).value?.datum, (await reader.next()).value?.datum]).toEqual([1, 2])
  await expect(reader.next()).rejects.toThrow('no more')
})

test('the end frees whoever delivers and whoever reads', async () => {
  const full = new OutcomeReader(0)
  const delivery = full.room().then(() => full.deliver(outcome(0)))
  const empty = new OutcomeReader(1)
  const reading = empty.next()
  await settle()
  full.close()
  empty.close()
  await delivery
  expect((await reading).done).toBe(true)
  expect((await full.next()).value?.datum).toBe(0)
})

test('asking an iterable for many items keeps nothing of those that are through', async () => {
  const given: WeakRef<object>[] = []
  const next = async () => {
    const value = { ...x }
    given.push(new WeakRef(value))
    return { done: given.length > 1000, value }
  }
  const items = new PulledItems({ [Symbol.asyncIterator]: () => ({ next }) })
  let read = 0
  for await (const _ of items) read++
  await settle()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  expect(given.filter(ref => ref.deref() !== undefined).length).toBeLessThan(10)
  expect([read, items.taken]).toEqual([1000, 1000]) // it is still there
})
