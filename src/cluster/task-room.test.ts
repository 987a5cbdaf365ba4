import { expect, test } from 'vitest'
import { deviceId } from '../core/ids.ts'
import { bytes, type Seconds, seconds } from '../core/units.ts'
import { MOST_OF_HOME, MOST_OF_SENDER, type TakenTask, TaskRoom } from './task-room.ts'

const MIB = 2 ** 20

const open = () => {
  let now = 0
  let counted = 0
  const here: TakenTask[] = []
  const room = new TaskRoom({
    now: (): Seconds => seconds(now),
    here: () => {
      counted++
      return here
    }
  })
  const send = (from: string, home: string, size = 100): string | undefined => {
    const task = { from: deviceId(from), home: deviceId(home), bytes: bytes(size) }
    const because = room.refusal(task)
    if (because === undefined) here.push(task)
    return because
  }
  const takenOf = (times: number, from: string, home: (i: number) => string, size?: number): number => {
    let taken = 0
    for (let i = 0; i < times; i++) if (send(from, home(i), size) === undefined) taken++
    return taken
  }
  const wait = (time: number): void => {
    now += time
  }
  return { here, send, takenOf, wait, counted: () => counted }
}

test('of one home a sender has so many taken, of all homes together some more; another sender has its own, of the same home too', () => {
  const { send, takenOf } = open()
  expect(takenOf(10_000, 'mallory', () => 'mallory')).toBe(MOST_OF_HOME.tasks)
  expect(send('mallory', 'mallory')).toBe(
    `there is no room for more tasks of that home: at most ${MOST_OF_HOME.tasks}, of 256 MiB`
  )
  expect(takenOf(10_000, 'mallory', i => `home ${i}`)).toBe(MOST_OF_SENDER.tasks - MOST_OF_HOME.tasks)
  expect(send('mallory', 'another')).toContain('more tasks of yours')
  expect(takenOf(100, 'alice', () => 'mallory')).toBe(100)
})

test('large ones are bound by their bytes, and one is taken however large it is', () => {
  const { send, takenOf } = open()
  expect(takenOf(100, 'mallory', () => 'mallory', 100 * MIB)).toBe(2)
  expect(send('alice', 'alice', 1024 * MIB)).toBe(undefined)
  expect(send('alice', 'alice', 1)).toContain('no room')
})

test('what has left makes room, on whatever way it left; and who sends more than there is room for does not have all counted each time', () => {
  const { here, takenOf, wait, counted } = open()
  expect(takenOf(5000, 'mallory', () => 'mallory')).toBe(MOST_OF_HOME.tasks)
  expect(counted()).toBe(1)
  here.splice(0, 1500)
  wait(1)
  expect(takenOf(5000, 'mallory', () => 'mallory')).toBe(1500)
  expect(counted()).toBe(2)
})
