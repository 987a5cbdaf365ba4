import { expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { isSamePlacement } from './is-same-placement.ts'
import type { Placement } from './placement.ts'

const [A, B] = ['a', 'b'].map(deviceId) as [ReturnType<typeof deviceId>, ReturnType<typeof deviceId>]
const [NET, TOY] = ['net', 'toy'].map(modelId) as [ReturnType<typeof modelId>, ReturnType<typeof modelId>]

test('the order of devices, models and blocks does not matter, nor who is named with nothing', () => {
  const one: Placement = new Map([
    [A, new Map([[NET, [0, 1]]])],
    [B, new Map([[TOY, [2]]])]
  ])
  const other: Placement = new Map([
    [
      B,
      new Map([
        [NET, []],
        [TOY, [2]]
      ])
    ],
    [A, new Map([[NET, [1, 0]]])]
  ])
  expect(isSamePlacement(one, other)).toBe(true)
  expect(isSamePlacement(one, new Map([[A, new Map([[NET, [0, 1]]])]]))).toBe(false)
  expect(isSamePlacement(one, new Map([...one, [B, new Map([[NET, [2]]])]]))).toBe(false)
})
