import { expect, test } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { seconds } from '../../core/units.ts'
import { KeptActivations } from './kept-activations.ts'

const [home, shed, porch] = ['home', 'shed', 'porch'].map(deviceId) as [never, never, never]
const tensor = (...data: number[]) => ({
  name: 'x',
  type: 'uint8' as const,
  dims: [data.length],
  data: Uint8Array.from(data)
})
const of = (datum: number) => ({ home, source: 'cam@home', datum, attempt: 1 })

test('what came is shown again as it was, the latest first, before a turn or from one device', () => {
  const kept = new KeptActivations(() => seconds(0))
  const given = tensor(1, 2)
  kept.keep(of(0), 'from', shed, 1, [given])
  given.data.fill(9)
  kept.keep(of(0), 'from', porch, 2, [tensor(3)])
  kept.keep(of(0), 'to', porch, 1, [tensor(4)])
  kept.keep(of(1), 'from', shed, 1, [tensor(5)])
  const latest = kept.latest(of(0), 'from')!
  expect(latest).toMatchObject({ peer: porch, done: 2 })
  expect(kept.latest(of(0), 'from', latest.turn)!.tensors[0]!.data).toEqual(Uint8Array.from([1, 2]))
  expect(kept.latest(of(0), 'from', undefined, shed)).toMatchObject({ done: 1 })
  expect(kept.latest(of(0), 'from', 1)).toBeUndefined()
  expect(kept.latest({ ...of(0), home: shed }, 'from')).toBeUndefined()
  expect(kept.latest({ ...of(0), attempt: 2 }, 'from')).toBeUndefined()
})

test('no more is kept than fits, and nothing for longer than half a minute', () => {
  let now = 0
  const kept = new KeptActivations(() => seconds(now), 10)
  for (let datum = 0; datum < 5; datum++) kept.keep(of(datum), 'from', shed, 0, [tensor(...Array(4).fill(datum))])
  expect([0, 1, 2, 3, 4].map(datum => kept.latest(of(datum), 'from') !== undefined)).toEqual([
    ...[false, false, false],
    ...[true, true]
  ])
  expect(kept.bytes).toBe(8)
  kept.keep(of(9), 'from', shed, 0, [tensor(...Array(11).fill(1))])
  expect(kept.latest(of(9), 'from')).toBeUndefined()
  now = 31
  kept.expire()
  expect(kept.bytes).toBe(0)
  for (let i = 0; i < 1000; i++) kept.keep(of(0), 'from', shed, 0, [])
  expect(kept.latest(of(0), 'from')!.turn).toBeLessThan(100)
})

test('what comes with another token is of somebody else, and who sends much displaces its own', () => {
  const kept = new KeptActivations(() => seconds(0), 20)
  const token = Uint8Array.of(1, 2)
  kept.keep({ ...of(0), token }, 'from', shed, 1, [tensor(1, 2, 3, 4)])
  kept.keep({ ...of(0), token: Uint8Array.of(12) }, 'from', porch, 1, [tensor(9)])
  kept.keep(of(0), 'from', porch, 1, [tensor(9)])
  expect(kept.latest({ ...of(0), token }, 'from')).toMatchObject({ peer: shed })
  for (let datum = 0; datum < 100; datum++) kept.keep(of(datum), 'from', porch, 1, [tensor(1, 2, 3, 4)])
  expect(kept.latest({ ...of(0), token }, 'from')).toMatchObject({ peer: shed })
  expect(kept.latest(of(99), 'from')).toMatchObject({ peer: porch })
  expect(kept.bytes).toBeLessThanOrEqual(20)
})
