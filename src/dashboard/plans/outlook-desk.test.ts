import { expect, test } from 'vitest'
import { deferred } from '../../core/deferred.ts'
import { seconds } from '../../core/units.ts'
import type { Outlook } from '../../planner/outlook.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { OutlookDesk } from './outlook-desk.ts'

const none = (because: string): Outlook => ({ kind: 'none', because })

/** A planner that answers when it is told to. */
const open = () => {
  const clock = createManualClock()
  const asked: { change: unknown; answer: (outlook: Outlook) => void; fail: (error: Error) => void }[] = []
  const plans = {
    stand: () => world.stand,
    foresee: (change?: unknown) => {
      const { promise, resolve, reject } = deferred<Outlook>()
      asked.push({ change, answer: resolve, fail: reject })
      return promise
    }
  }
  const world = { stand: { shape: 'one', measures: [1, 100] } }
  return { clock, asked, world, desk: new OutlookDesk({ clock, plans }) }
}
const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('nothing is computed until somebody looks, then once for all who do', async () => {
  const { asked, desk } = open()
  await settle()
  expect(asked).toEqual([])
  expect(desk.kept()).toEqual({ outlook: null, because: 'it is being computed', age: 0 })
  desk.kept()
  await settle()
  expect(asked.length).toBe(1)
  asked[0]!.answer(none('a'))
  await settle()
  expect(desk.kept()).toMatchObject({ outlook: none('a'), because: '' })
  expect(asked.length).toBe(1)
})

test('it is computed anew when the cluster is another one, but not more often than every ten seconds', async () => {
  const { clock, asked, world, desk } = open()
  desk.kept()
  await settle()
  asked[0]!.answer(none('a'))
  await settle()
  world.stand = { ...world.stand, shape: 'two' }
  await clock.advance(seconds(9))
  expect(desk.kept()).toMatchObject({ outlook: none('a'), because: expect.stringContaining('has changed') })
  expect(asked.length).toBe(1)
  await clock.advance(seconds(2))
  desk.kept()
  await settle()
  expect(asked.length).toBe(2)
})

test('one preview at a time, and after the one of the cluster as it is', async () => {
  const { asked, desk } = open()
  desk.kept()
  const first = desk.preview({ leaves: 'shed' })
  await expect(desk.preview({ leaves: 'attic' })).rejects.toMatchObject({ problem: 'queueFull' })
  await settle()
  expect(asked.map(({ change }) => change)).toEqual([undefined])
  asked[0]!.answer(none('a'))
  await settle()
  asked[1]!.answer(none('b'))
  expect(await first).toEqual(none('b'))
  const failing = desk.preview({ leaves: 'attic' })
  await settle()
  asked[2]!.fail(new Error('no time'))
  await expect(failing).rejects.toMatchObject({ problem: 'failed', message: 'no time' })
})

test('a speed or rate that is off by more than a fifth counts too, after twenty seconds', async () => {
  const { clock, asked, world, desk } = open()
  const look = async (): Promise<number> => {
    desk.kept()
    await settle()
    return asked.length
  }
  await look()
  asked[0]!.answer(none('a'))
  await settle()
  world.stand = { shape: 'one', measures: [1, 118] }
  await clock.advance(seconds(21))
  expect(await look()).toBe(1)
  world.stand = { shape: 'one', measures: [1, 125] }
  expect(await look()).toBe(2)
})
