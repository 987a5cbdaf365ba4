import { beforeAll, describe, expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { createRng } from '../core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../core/units.ts'
import { loadMipSolver, loadSolver } from '../testing/load-solver.ts'
import { capacityOf } from './capacity-of.ts'
import { type Outlook, outlook, type Served } from './outlook.ts'
import type { NamedProblem, OutlookChange } from './outlook-change.ts'
import type { Placement } from './placement.ts'
import { plan } from './plan.ts'
import { type PlannedPlacementParts, plannedPlacement } from './planned-placement.ts'

let parts: PlannedPlacementParts
beforeAll(async () => {
  const [solve, solveMip] = [await loadSolver(), await loadMipSolver()]
  parts = { solve, solveMip, rng: createRng('test'), now: () => seconds(0), timeLimit: seconds(10) }
})

const net = modelId('net')
const names = { devices: ['porch', 'shed', 'attic'], models: ['ocr'], sources: ['cam@porch'] }
/** A source at a slow device; the model fits on none of the three whole. */
const asked = (over: Partial<NamedProblem['problem']> = {}): NamedProblem => ({
  names,
  problem: {
    devices: [0.25, 1, 1].map((speed, n) => ({ id: deviceId(`d${n}`), speed, memory: bytes(300) })),
    models: [
      {
        id: net,
        blocks: Array.from({ length: 4 }, () => ({ bytes: bytes(100), work: seconds(0.1) })),
        activations: Array.from({ length: 5 }, () => bytes(1e5))
      }
    ],
    links: [0, 1, 2].flatMap(from =>
      [0, 1, 2].flatMap(to => (from === to ? [] : [{ from, to, rate: bytesPerSecond(1e6), latency: seconds(0.001) }]))
    ),
    sources: [{ device: 0, model: 0, demand: 1 }],
    wholeModels: false,
    carried: new Map(),
    ...over
  }
})

const running = (): NamedProblem => {
  const { problem } = asked()
  return asked({ carried: plannedPlacement(problem, parts).placement })
}

const servedOf = (found: Outlook, of: 'now' | 'carried' | 'planned'): Extract<Served, { kind: 'served' }> => {
  if (found.kind !== 'outlook') throw new Error(found.because)
  const served = found[of]
  if (served.kind !== 'served') throw new Error(served.because)
  return served
}

/** What `tributary plan` finds for the same network. */
const bestScale = ({ problem }: NamedProblem): number => {
  const outcome = plan(capacityOf(problem, names), parts)
  if (outcome.kind !== 'plan') throw new Error(outcome.because)
  return outcome.plan.predicted.scale
}

describe('an outlook', () => {
  test('says by name what limits the blocks where they are, and what more of it gives', () => {
    const found = outlook(running(), parts)
    const { tight, sources, gains, pays } = servedOf(found, 'carried')
    expect(servedOf(found, 'now')).toEqual(servedOf(found, 'carried'))
    expect(sources).toEqual([
      { source: 'cam@porch', demand: 1, rate: expect.closeTo(bestScale(asked()), 5), time: expect.any(Number) }
    ])
    expect(tight.length).toBeGreaterThan(0)
    for (const { devices, use, gain } of tight) {
      for (const device of devices) expect(names.devices).toContain(device)
      expect(use).toBeCloseTo(1, 3)
      expect(gain).toBeGreaterThan(0)
    }
    expect(gains[0]).toMatch(/^10 % more .+ would serve .+ more$/)
    expect(pays).toMatch(/^distributing the model pays/)
    expect(found).toMatchObject({ moves: [] })
  })

  test('is made of what JSON can hold', () => {
    const found = outlook(running(), parts)
    expect(JSON.parse(JSON.stringify(found))).toEqual(found)
  })

  test('a device that is twice as fast gives what a plan for such a network gives', () => {
    const found = outlook({ ...running(), change: { device: 'shed', speed: 2 } }, parts)
    const { problem } = asked()
    const faster = asked({
      devices: problem.devices.map((one, n) => (n === 1 ? { ...one, speed: 2 } : one))
    })
    expect(found).toMatchObject({ best: expect.closeTo(bestScale(faster), 5) })
    expect(servedOf(found, 'now')).toEqual(servedOf(outlook(running(), parts), 'now'))
    expect(servedOf(found, 'planned').scale).toBeGreaterThan(servedOf(outlook(running(), parts), 'planned').scale)
  })

  test('times that were measured are as much shorter', () => {
    const { problem } = asked()
    const times = [undefined, Array.from({ length: 4 }, () => seconds(0.2)), undefined]
    const measured = asked({ models: problem.models.map(model => ({ ...model, times })) })
    const found = outlook({ ...measured, change: { device: 'shed', speed: 2 } }, parts)
    expect(found).toMatchObject({ best: expect.closeTo(bestScale(asked()), 5) })
  })

  test('of a device that leaves, the blocks that it alone carries are missed until they have moved, and what moves is told', () => {
    const carried: Placement = new Map([
      [deviceId('d1'), new Map([[net, [0, 1, 2]]])],
      [deviceId('d2'), new Map([[net, [3]]])]
    ])
    const found = outlook({ ...asked({ carried }), change: { leaves: 'attic' } }, parts)
    expect(found).toMatchObject({
      carried: { kind: 'unserved', because: 'block 3 of ocr is on no device that cam@porch could use' },
      planned: { kind: 'served' }
    })
    const moved = found.kind === 'outlook' ? found.moves : []
    expect(moved.some(({ loads }) => loads.includes(3))).toBe(true)
    expect(moved.every(({ bytes: size, loads }) => size === 100 * loads.length)).toBe(true)
    expect(moved.map(({ device }) => device)).not.toContain('attic')
  })

  test('a slower link counts both ways', () => {
    const { links } = asked().problem
    const two = asked({ links: links.filter(({ from, to }) => from !== 2 && to !== 2) })
    const both = outlook({ ...two, change: { from: 'porch', to: 'shed', rate: 1e4 } }, parts)
    const back = outlook({ ...two, change: { from: 'shed', to: 'porch', rate: 1e4 } }, parts)
    expect(both).toEqual(back)
    expect(servedOf(both, 'planned').scale).toBeLessThan(servedOf(outlook(two, parts), 'planned').scale)
  })

  test.for<[string, OutlookChange, string]>([
    ['an unknown device', { leaves: 'barn' }, 'there is no device "barn" to plan for (there: porch, shed, attic)'],
    ['an unknown link', { from: 'porch', to: 'porch', rate: 1 }, 'no link is known between porch and porch'],
    ['the last source', { leaves: 'porch' }, 'no source would be left to plan for']
  ])('says in words that there is none: %s', ([, change, because]) => {
    expect(outlook({ ...running(), change }, parts)).toEqual({ kind: 'none', because })
  })
})
