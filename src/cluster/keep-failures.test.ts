import { expect, test } from 'vitest'
import { modelId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import { KeepFailures } from './keep-failures.ts'

const net = modelId('net')
const block = (k: number) => ({ model: net, name: 'net', block: k })
const refusal = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
const full = new Error('cannot keep the block: ENOSPC', { cause: refusal })
const s = seconds

test('a full disk is said once, with model, block and cause, and is a trouble at once until the block is loaded', () => {
  const failures = new KeepFailures()
  const words = 'cannot get and keep block 2 of net: the disk is full (ENOSPC)'
  expect([0, 1, 3].map(t => failures.failed(block(2), full, 'notGiven', s(t)))).toEqual([
    ...[undefined, undefined, undefined] // it is a trouble: whoever says troubles says it
  ])
  expect(failures.troubles(s(3))).toEqual([words, `no more blocks are placed here for a while: ${words}`])
  expect(failures.because(net, 2)).toBe('the disk is full (ENOSPC)')
  failures.succeeded(block(2))
  expect([failures.troubles(s(4)), failures.because(net, 2)]).toEqual([[], undefined])
})

test('what the program knows of a full disk is said with it, in the same words while it lasts', () => {
  const failures = new KeepFailures()
  const noRoom = (free: number) =>
    Object.assign(new Error('no room'), { code: 'ENOSPC', syscall: 'statfs', because: `${free} MB are free there` })
  for (const t of [0, 1]) failures.failed(block(2), noRoom(7 - t), 'notGiven', s(t))
  expect(failures.troubles(s(1))).toEqual([
    'cannot get and keep block 2 of net: the disk is full (ENOSPC): 7 MB are free there'
  ])
  failures.succeeded(block(2))
  failures.failed(block(2), noRoom(3), 'notGiven', s(2))
  expect(failures.because(net, 2)).toBe('the disk is full (ENOSPC): 3 MB are free there')
})

test('after three failures of its own a device takes no more for a minute, later for two; after a success it does', () => {
  const failures = new KeepFailures()
  const fail = (now: number): boolean => {
    failures.failed(block(0), full, 'notGiven', s(now))
    return failures.isFull(s(now))
  }
  expect([0, 1, 3].map(fail)).toEqual([false, false, true])
  expect([62, 63].map(now => failures.isFull(s(now)))).toEqual([true, false])
  failures.retain([])
  expect(failures.troubles(s(62))).toEqual([
    'no more blocks are placed here for a while: cannot get and keep block 0 of net: the disk is full (ENOSPC)'
  ])
  expect(failures.troubles(s(63))).toEqual([]) // the planner has put it elsewhere, and tries again
  expect([70, 71, 73].map(fail)).toEqual([false, false, true])
  expect([192, 193].map(now => failures.isFull(s(now)))).toEqual([true, false])
  expect(fail(194)).toBe(true)
  failures.succeeded(block(0))
  expect(failures.isFull(s(194))).toBe(false)
})

test('a block that others do not give says nothing against this device, and is a trouble when that has lasted', () => {
  const failures = new KeepFailures()
  const nobody = new Error('nobody has it')
  const said = [0, 1].map(t => failures.failed(block(1), nobody, 'notGiven', s(t)))
  expect(said).toEqual(['cannot get and keep block 1 of net: nobody has it; tried again', undefined])
  expect(failures.troubles(s(2))).toEqual([])
  for (let t = 2; t < 20; t++) failures.failed(block(1), nobody, 'notGiven', s(t))
  expect(failures.troubles(s(20))).toEqual(['cannot get and keep block 1 of net: nobody has it'])
  expect(failures.isFull(s(20))).toBe(false)
})

test('tries become rarer, up to ten seconds, as the block that failed least often has it', () => {
  const failures = new KeepFailures()
  const pauses = Array.from({ length: 8 }, (_, t) => {
    failures.failed(block(0), full, 'notGiven', s(t))
    return failures.pause()
  })
  expect(pauses).toEqual([1, 1, 1, 2, 4, 8, 10, 10])
  failures.failed(block(1), full, 'notGiven', s(9))
  expect(failures.pause()).toBe(1)
})
