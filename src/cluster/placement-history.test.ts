import { expect, test } from 'vitest'
import { type DeviceId, deviceId, type ModelId, modelId } from '../core/ids.ts'
import { seconds } from '../core/units.ts'
import type { NumberedPlacement } from './numbered-placement.ts'
import { PlacementHistory } from './placement-history.ts'

const net = modelId('net')
const placement = (epoch: number, carried: Readonly<Record<string, readonly number[]>>): NumberedPlacement => ({
  ...{ epoch, planner: deviceId('a'), unplaced: [] },
  placement: new Map<DeviceId, ReadonlyMap<ModelId, readonly number[]>>(
    Object.entries(carried).map(([device, blocks]) => [deviceId(device), new Map([[net, blocks]])])
  )
})

test('each placement has what it moved against the one before, and who came and left', () => {
  const history = new PlacementHistory()
  history.note(placement(1, { a: [0, 1], b: [1] }), seconds(10), 4)
  history.note(placement(2, { a: [0], c: [1, 2] }), seconds(20), 5)
  const [latest, first] = history.entries()
  expect(first).toMatchObject({ changes: undefined, came: [], left: [], rateBefore: 4 })
  expect(latest).toMatchObject({ came: ['c'], left: ['b'], rateBefore: 5 })
  expect(latest!.changes).toEqual([
    { device: 'a', model: net, loads: [], drops: [1] },
    { device: 'b', model: net, loads: [], drops: [1] },
    { device: 'c', model: net, loads: [1, 2], drops: [] }
  ])
})

test('what it brought is measured once, when it had time to show', () => {
  const history = new PlacementHistory()
  history.note(placement(1, { a: [0] }), seconds(0), 4)
  const asked: number[] = []
  const rate = (): number => asked.push(1)
  history.tick(seconds(24), rate)
  expect(asked).toEqual([])
  history.tick(seconds(25), rate)
  history.tick(seconds(60), () => 99)
  expect(history.entries()[0]!.rateAfter).toBe(1)
})

test('it forgets the oldest', () => {
  const history = new PlacementHistory()
  for (let epoch = 1; epoch <= 80; epoch++) history.note(placement(epoch, { a: [epoch] }), seconds(epoch), 0)
  expect(history.entries().map(entry => entry.placement.epoch)).toEqual(Array.from({ length: 50 }, (_, i) => 80 - i))
})
