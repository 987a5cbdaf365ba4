import { expect, test } from 'vitest'
import { type Seconds, seconds } from '../core/units.ts'
import { PEER_BUDGETS, PeerBudgets } from './peer-budgets.ts'

const open = () => {
  let now = 0
  const told: string[] = []
  const budgets = new PeerBudgets({
    now: (): Seconds => seconds(now),
    exceeded: (peer, because) => told.push(`${peer}: ${because}`)
  })
  const wait = (time: number): void => {
    now += time
  }
  const takeAll = (peer: string): number => {
    let taken = 0
    while (budgets.takes(peer, 'lines')) taken++
    return taken
  }
  return { budgets, told, wait, takeAll }
}

test('who comes under many identities has the budgets of one', () => {
  const told: string[] = []
  const budgets = new PeerBudgets({
    now: () => seconds(0),
    payerOf: peer => (peer.startsWith('guest') ? 'guests of mallory' : peer),
    exceeded: peer => told.push(peer)
  })
  const { burst } = PEER_BUDGETS.models
  let brought = 0
  for (let i = 0; i < 1000; i++) if (budgets.takes(`guest${i}`, 'models')) brought++
  expect([brought, told]).toEqual([burst, ['guests of mallory']])
  expect(budgets.takes('porch', 'models')).toBe(true)
  expect(budgets.beyond()).toMatchObject([{ peer: 'guests of mallory', kind: 'models', times: 1000 - burst }])
})

test('a peer has its burst, then what time brings, and never more than the burst; others have their own', () => {
  const { told, wait, takeAll } = open()
  const { burst, perSecond } = PEER_BUDGETS.lines
  expect(takeAll('mallory')).toBe(burst)
  wait(2 / perSecond)
  expect(takeAll('mallory')).toBe(2)
  wait(1e6)
  expect(takeAll('mallory')).toBe(burst)
  expect(takeAll('alice')).toBe(burst)
  expect(told.filter(text => text.startsWith('alice'))).toEqual([
    'alice: more than 30 lines in the log at once and 720 an hour after that; what is beyond is not heard'
  ])
})

test('more than is left is refused whole, and what is given back can be spent again', () => {
  const { budgets } = open()
  const { burst } = PEER_BUDGETS.dials
  expect(budgets.takes('mallory', 'dials', burst + 1)).toBe(false)
  expect(budgets.takes('mallory', 'dials', burst)).toBe(true)
  budgets.givesBack('mallory', 'dials', 3)
  expect(budgets.takes('mallory', 'dials', 4)).toBe(false)
  expect(budgets.takes('mallory', 'dials', 3)).toBe(true)
})

test('it is told once a minute, and of many peers the latest are remembered', () => {
  const { budgets, told, wait, takeAll } = open()
  for (let i = 0; i < 3; i++) takeAll('mallory')
  wait(61)
  takeAll('mallory')
  expect(told).toHaveLength(2)
  for (let i = 0; i < 5000; i++) budgets.takes(`peer ${i}`, 'models')
  expect(takeAll('mallory')).toBe(PEER_BUDGETS.lines.burst)
})

test('what was heard already is paid for afterwards: whoever owes is not read until it is paid', () => {
  const { budgets, wait } = open()
  const { burst, perSecond } = PEER_BUDGETS.words
  expect(budgets.spends('mallory', 'words', burst)).toBe(0)
  expect(budgets.spends('mallory', 'words', 2 * perSecond)).toBe(2)
  expect(budgets.spends('alice', 'words', burst)).toBe(0)
  wait(2)
  expect(budgets.spends('mallory', 'words', 0)).toBe(0)
})

test('peers beyond a budget are named for a while, the latest first, and all that was beyond is counted', () => {
  const { budgets, wait, takeAll } = open()
  takeAll('mallory')
  wait(60)
  budgets.takes('eve 2', 'models', 1000)
  budgets.takes('alice', 'models')
  expect(budgets.beyond().map(({ peer, kind, times }) => [peer, kind, times])).toEqual([
    ['eve 2', 'models', 1],
    ['mallory', 'lines', 1]
  ])
  expect(budgets.beyond()[0]!.because).toBe(
    'more than 64 models at once and 60 an hour after that; what is beyond is not heard'
  )
  wait(560)
  expect(budgets.beyond()).toHaveLength(1)
  expect(Object.fromEntries(budgets.refusals())).toEqual({ lines: 1, models: 1 })
})

test('of too many the one that was asked for longest ago is forgotten, and begins anew', () => {
  const { budgets, wait } = open()
  const left = (peer: string): boolean => budgets.takes(peer, 'models', PEER_BUDGETS.models.burst)
  expect(left('mallory') && left('alice')).toBe(true)
  wait(2)
  expect(budgets.takes('alice', 'models')).toBe(false)
  for (let n = 0; n < 4095; n++) budgets.takes(`peer ${n}`, 'models')
  expect(budgets.takes('alice', 'models')).toBe(false)
  expect(left('mallory')).toBe(true)
})
