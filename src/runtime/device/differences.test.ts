import { expect, test } from 'vitest'
import { differences } from './differences.ts'

const device = (name: string, policy: string, activationEncoding = 'fp32') => ({ name, policy, activationEncoding })

test('devices that were told the same differ in nothing', () => {
  expect(differences([device('a', 'confluence'), device('b', 'confluence')])).toEqual([])
})

test('who differs is named, the few last, with the remedy', () => {
  expect(differences([device('a', 'ms-mdi'), device('b', 'confluence'), device('c', 'confluence')])).toEqual([
    'policies differ: confluence on b, c; ms-mdi on a: start all devices with the same policy'
  ])
  expect(differences([device('a', 'ddi', 'int8'), device('b', 'ddi', 'auto')])).toEqual([
    'activation encodings differ: auto on b; int8 on a: start all devices with the same activation encoding'
  ])
})

test('of many only some are named, and who does not say is left out', () => {
  const many = Array.from({ length: 9 }, (_, n) => device(`d${n}`, 'ddi'))
  expect(differences([...many, device('old', 'ddi', ''), device('x', 'local')])).toEqual([
    'policies differ: ddi on d0, d1, d2 and 7 more; local on x: start all devices with the same policy'
  ])
})

test('who has no room and no source decides nothing, and may be told what it likes', () => {
  const looks = { ...device('looks', 'confluence'), memory: 0, sources: [] }
  expect(differences([device('a', 'ddi'), looks])).toEqual([])
  expect(differences([device('a', 'ddi'), { ...looks, memory: 1 }])).toHaveLength(1)
})
