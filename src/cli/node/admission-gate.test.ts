import { expect, test } from 'vitest'
import type { NumberedItem } from '../../runtime/ports/source-data.ts'
import { AdmissionGate } from './admission-gate.ts'

const items = (...numbers: readonly number[]): NumberedItem[] =>
  numbers.map(datum => ({ datum, item: { name: `${datum}` } }))

/** Takes items as they come, until none comes at once. */
const reader = (gate: AdmissionGate, list: readonly NumberedItem[]) => {
  const taken: number[] = []
  const stream = gate.through(list)
  const read = async (): Promise<'ended'> => {
    for await (const { datum } of stream) taken.push(datum)
    return 'ended'
  }
  return { taken, stream, ended: read() }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await undefined
}

test('all items pass where nothing is said', async () => {
  const { taken, ended } = reader(new AdmissionGate(), items(0, 1, 2))
  expect(await ended).toBe('ended')
  expect(taken).toEqual([0, 1, 2])
})

test('items pass by their numbers, for each source, and those that waited pass when more may', async () => {
  const gate = new AdmissionGate()
  gate.allow(2)
  const fresh = reader(gate, items(0, 1, 2, 3))
  const resumed = reader(gate, items(1, 3))
  await turns()
  expect([fresh.taken, resumed.taken]).toEqual([[0, 1], [1]])
  gate.allow(4)
  expect(await Promise.all([fresh.ended, resumed.ended])).toEqual(['ended', 'ended'])
  expect([fresh.taken, resumed.taken]).toEqual([
    [0, 1, 2, 3],
    [1, 3]
  ])
})

test('a source that stops does not wait for its items', async () => {
  const gate = new AdmissionGate()
  gate.allow(1)
  const { taken, stream, ended } = reader(gate, items(0, 1))
  await turns()
  stream.close!()
  expect(await ended).toBe('ended')
  expect(taken).toEqual([0])
})
