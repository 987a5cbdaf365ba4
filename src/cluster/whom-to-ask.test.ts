import { expect, test } from 'vitest'
import { whomToAsk } from './whom-to-ask.ts'

test('those that have a block are asked before those that only speak of its model, over the fastest link first', () => {
  const holders = [
    { name: 'speaks, fast', has: false, rate: 100 },
    { name: 'has, slow', has: true, rate: 1 },
    { name: 'has, no link known', has: true, rate: 0 },
    { name: 'has, fast', has: true, rate: 9 },
    { name: 'speaks, slow', has: false, rate: 2 }
  ]
  expect(whomToAsk(holders).map(({ name }) => name)).toEqual([
    ...['has, fast', 'has, slow', 'has, no link known', 'speaks, fast', 'speaks, slow']
  ])
})
