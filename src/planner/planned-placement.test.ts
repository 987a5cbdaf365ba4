import { beforeAll, describe, expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { loadMipSolver, loadSolver } from '../testing/load-solver.ts'
import type { Placement, PlacementOutcome, PlacementProblem } from './placement.ts'
import { type PlannedPlacementParts, plannedPlacement } from './planned-placement.ts'

let parts: PlannedPlacementParts
beforeAll(async () => {
  const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
  parts = { solve, solveMip, rng: createRng('test'), now: () => seconds(0), timeLimit: seconds(10) }
})

const net = modelId('net')
const names = ['a', 'b', 'c']

const problem = (over: Partial<PlacementProblem> = {}): PlacementProblem => ({
  devices: names.map(name => ({ id: deviceId(name), speed: 1, memory: bytes(2) })),
  models: [
    {
      id: net,
      blocks: Array.from({ length: 4 }, () => ({ bytes: bytes(1), work: seconds(1) })),
      activations: Array.from({ length: 5 }, () => bytes(1))
    }
  ],
  links: names.flatMap((_, from) =>
    names.flatMap((_, to) => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e6), latency: seconds(0) }]))
  ),
  sources: [{ device: 0, model: 0, demand: 1 }],
  wholeModels: false,
  carried: new Map(),
  ...over
})

const carriersOf = (placement: Placement, block: number): number =>
  names.filter(name => placement.get(deviceId(name))?.get(net)?.includes(block)).length

describe('plannedPlacement', () => {
  test('places every block within memory, and uses what is left for copies', () => {
    const { placement, unplaced } = plannedPlacement(problem(), parts)
    expect(unplaced).toEqual([])
    for (const k of [0, 1, 2, 3]) expect(carriersOf(placement, k)).toBeGreaterThanOrEqual(1)
    for (const name of names) expect(placement.get(deviceId(name))!.get(net)!.length).toBe(2)
  })

  test('does not move weights for nothing', () => {
    const { placement } = plannedPlacement(problem(), parts)
    const again = plannedPlacement(problem({ carried: placement }), parts)
    expect(again.placement).toEqual(placement)
  })

  test('where no plan is found in time, every block stays where it is', () => {
    const { placement } = plannedPlacement(problem(), parts)
    let now = 0
    const late = { ...parts, now: () => seconds(now++), timeLimit: seconds(0.001) }
    const tight = { devices: names.map(name => ({ id: deviceId(name), speed: 1, memory: bytes(2) })) }
    const again = plannedPlacement(problem({ ...tight, carried: placement }), late)
    expect(again).toMatchObject({ placement, unplaced: [] })
  })

  test('moves them for a device that became four times as slow', () => {
    const { placement } = plannedPlacement(problem(), parts)
    const slowed = problem({
      devices: names.map((name, n) => ({ id: deviceId(name), speed: n === 2 ? 0.05 : 1, memory: bytes(2) })),
      carried: new Map([
        [deviceId('a'), new Map([[net, [0]]])],
        [deviceId('b'), new Map([[net, [1]]])],
        [deviceId('c'), new Map([[net, [2, 3]]])]
      ])
    })
    const next = plannedPlacement(slowed, parts)
    expect(next.placement).not.toEqual(placement)
    // Blocks 2 and 3 are no longer only on the slow one.
    for (const k of [2, 3])
      expect(['a', 'b'].some(name => next.placement.get(deviceId(name))!.get(net)!.includes(k))).toBe(true)
  })

  test('whole models at sources: there, and nowhere else, also where no source is left', () => {
    const local = problem({
      devices: names.map(name => ({ id: deviceId(name), speed: 1, memory: bytes(4) })),
      wholeModels: 'at sources'
    })
    const placed = ({ placement }: PlacementOutcome): unknown =>
      names.map(name => placement.get(deviceId(name))?.get(net))
    expect(placed(plannedPlacement(local, parts))).toEqual([[0, 1, 2, 3], [], []])
    expect(placed(plannedPlacement({ ...local, sources: [] }, parts))).toEqual([[], [], []])
    const everywhere = plannedPlacement({ ...local, wholeModels: 'everywhere' }, parts)
    expect(placed(everywhere)).toEqual([0, 1, 2].map(() => [0, 1, 2, 3]))
  })

  test('too little memory: as simple placement, with what fits nowhere', () => {
    const small = problem({ devices: [{ id: deviceId('a'), speed: 1, memory: bytes(2) }], links: [] })
    expect(plannedPlacement(small, parts).unplaced.length).toBe(2)
  })
})
