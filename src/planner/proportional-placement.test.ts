import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deviceId, modelId } from '../core/ids.ts'
import { bytes, seconds } from '../core/units.ts'
import type { Placement, PlacementProblem } from './placement.ts'
import { proportionalPlacement } from './proportional-placement.ts'

const MiB = 2 ** 20
const ocr = modelId('ocr')

const problem = (
  devices: Readonly<Record<string, { speed: number; memory?: number }>>,
  blocks: readonly { size: number; work: number }[],
  carried: Placement = new Map()
): PlacementProblem => ({
  devices: Object.entries(devices).map(([name, { speed, memory = Infinity }]) => ({
    id: deviceId(name),
    speed,
    memory: bytes(memory)
  })),
  models: [
    {
      id: ocr,
      blocks: blocks.map(({ size, work }) => ({ bytes: bytes(size), work: seconds(work) })),
      activations: [bytes(1), ...blocks.map(() => bytes(1))]
    }
  ],
  links: [],
  sources: [],
  wholeModels: false,
  carried
})

const blocksOf = (placement: Placement, name: string): readonly number[] =>
  placement.get(deviceId(name))?.get(ocr) ?? []
const equal = (count: number, size = MiB) => Array.from({ length: count }, () => ({ size, work: 1 }))

describe('proportionalPlacement', () => {
  test('the largest blocks go first where one would find no room behind the others', () => {
    const sizes = [1, 1, 1, 1, 1, 1, 5].map(size => ({ size: size * MiB, work: 1 }))
    const { placement, unplaced } = proportionalPlacement(
      problem({ a: { speed: 1, memory: 8 * MiB }, b: { speed: 0.9, memory: 4 * MiB } }, sizes)
    )
    expect(unplaced).toEqual([])
    expect(blocksOf(placement, 'a')).toContain(6)
  })

  test('with memory for everything, everybody carries everything', () => {
    const { placement, unplaced } = proportionalPlacement(problem({ a: { speed: 1 }, b: { speed: 0.2 } }, equal(3)))
    expect(unplaced).toEqual([])
    expect([blocksOf(placement, 'a'), blocksOf(placement, 'b')]).toEqual([
      [0, 1, 2],
      [0, 1, 2]
    ])
  })

  test('with memory for just one copy, contiguous shares follow the speeds', () => {
    const devices = { slow: { speed: 1, memory: 2 * MiB }, fast: { speed: 3, memory: 6 * MiB } }
    const { placement } = proportionalPlacement(problem(devices, equal(8)))
    expect(blocksOf(placement, 'fast')).toEqual([0, 1, 2, 3, 4, 5])
    expect(blocksOf(placement, 'slow')).toEqual([6, 7])
  })

  test('spare memory keeps what is already there', () => {
    const devices = { a: { speed: 1, memory: 3 * MiB }, b: { speed: 1, memory: 2 * MiB } }
    const carried = new Map([[deviceId('a'), new Map([[ocr, [3]]])]])
    const { placement } = proportionalPlacement(problem(devices, equal(4), carried))
    expect(blocksOf(placement, 'a')).toEqual([0, 1, 3])
    expect(blocksOf(placement, 'b')).toEqual([2, 3])
  })

  test('a block that fits nowhere is named, with what it needs and what there is', () => {
    const { unplaced } = proportionalPlacement(problem({ a: { speed: 1, memory: MiB } }, [{ size: 3 * MiB, work: 1 }]))
    expect(unplaced).toEqual([
      { model: ocr, block: 0, because: expect.stringMatching(/needs 3\.00 MiB.*1\.00 MiB; raise the memory/) }
    ])
  })

  test('never exceeds memory, places each block that is not named unplaced, and nothing twice on a device', () => {
    const device = fc.record({ speed: fc.integer({ min: 1, max: 8 }), memory: fc.integer({ min: 0, max: 30 }) })
    const block = fc.record({ size: fc.integer({ min: 1, max: 9 }), work: fc.integer({ min: 1, max: 9 }) })
    const devices = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), device, { minKeys: 1 })
    fc.assert(
      fc.property(devices, fc.array(block, { minLength: 1, maxLength: 12 }), (named, blocks) => {
        const { placement, unplaced } = proportionalPlacement(problem(named, blocks))
        for (const [name, { memory }] of Object.entries(named)) {
          const mine = blocksOf(placement, name)
          expect(new Set(mine).size).toBe(mine.length)
          expect(mine.reduce((sum, k) => sum + blocks[k]!.size, 0)).toBeLessThanOrEqual(memory)
        }
        const placed = new Set(Object.keys(named).flatMap(name => blocksOf(placement, name)))
        for (const k of blocks.keys()) expect(placed.has(k)).toBe(!unplaced.some(u => u.block === k))
      })
    )
  })
})
