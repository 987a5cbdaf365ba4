import fc from 'fast-check'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { tinyOnnx } from '../../../testing/tiny-onnx.ts'
import { bytesOf } from '../tensor-numbers.ts'
import { detect } from './detect.ts'
import type { DetectionFamilyName } from './detection-families.ts'

// What detectors say is chosen from here and by the operator that ONNX Runtime has for it: an implementation that nothing is shared with.

const SIZE = 640
const PLACE = {
  image: { width: SIZE, height: SIZE },
  fitting: {
    ...{ scaled: { width: SIZE, height: SIZE }, cut: { width: SIZE, height: SIZE } },
    ...{ canvas: { width: SIZE, height: SIZE }, left: 0, top: 0 }
  }
}
const CLASSES = 3

interface Seen {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly index: number
  readonly score: number
}

/** Crowded, so that many overlap; scores apart, so that their order is plain. */
const crowds = fc
  .array(
    fc.record({
      ...{ x: fc.integer({ min: 250, max: 390 }), y: fc.integer({ min: 250, max: 390 }) },
      ...{ width: fc.integer({ min: 40, max: 200 }), height: fc.integer({ min: 40, max: 200 }) },
      ...{ index: fc.nat(CLASSES - 1) }
    }),
    { minLength: 30, maxLength: 80 }
  )
  .map(all => all.map((one, i): Seen => ({ ...one, score: (99 - ((i * 37) % 83)) / 100 })))

const scoresOf = ({ index, score }: Seen): number[] =>
  Array.from({ length: CLASSES }, (_, at) => (at === index ? score : 0))

/** [box, class, y, x] of those that ONNX Runtime chooses, by class, from boxes as centre and size. */
const chooser = async (): Promise<(seen: readonly Seen[], iou: number, threshold: number) => Promise<Seen[]>> => {
  const model = tinyOnnx({
    inputs: {
      boxes: ['float32', [1, 'n', 4]],
      scores: ['float32', [1, CLASSES, 'n']],
      most: ['int64', [1]],
      iou: ['float32', [1]],
      threshold: ['float32', [1]]
    },
    outputs: { chosen: ['int64', ['k', 3]] },
    nodes: [
      {
        opType: 'NonMaxSuppression',
        input: ['boxes', 'scores', 'most', 'iou', 'threshold'],
        output: ['chosen'],
        attribute: [{ name: 'center_point_box', type: 2, i: 1n }]
      }
    ]
  })
  const session = await InferenceSession.create(model)
  return async (seen, iou, threshold) => {
    const boxes = seen.flatMap(({ x, y, width, height }) => [x, y, width, height])
    const scores = Array.from({ length: CLASSES }, (_, at) =>
      seen.map(one => (one.index === at ? one.score : 0))
    ).flat()
    const { chosen } = await session.run({
      boxes: new OrtTensor('float32', Float32Array.from(boxes), [1, seen.length, 4]),
      scores: new OrtTensor('float32', Float32Array.from(scores), [1, CLASSES, seen.length]),
      most: new OrtTensor('int64', BigInt64Array.of(1000n), [1]),
      iou: new OrtTensor('float32', Float32Array.of(iou), [1]),
      threshold: new OrtTensor('float32', Float32Array.of(threshold), [1])
    })
    const places = [...(chosen!.data as BigInt64Array)].map(Number)
    return Array.from({ length: places.length / 3 }, (_, i) => seen[places[3 * i + 2]!]!)
  }
}

const rowOf: Readonly<Record<'yolo' | 'yolov5', (seen: Seen) => number[]>> = {
  yolo: seen => [seen.x, seen.y, seen.width, seen.height, ...scoresOf(seen)],
  yolov5: seen => [seen.x, seen.y, seen.width, seen.height, 1, ...scoresOf(seen)]
}

const shown = ({ index, score, x, y, width, height }: Seen): string =>
  [index, score.toFixed(2), x - width / 2, y - height / 2, x + width / 2, y + height / 2].join(' ')

test.each(Object.entries(rowOf))('of a crowd, %s chooses the boxes that ONNX Runtime chooses', async (family, row) => {
  const choose = await chooser()
  await fc.assert(
    fc.asyncProperty(crowds, fc.constantFrom(0.3, 0.45, 0.7), async (crowd, iou) => {
      const rows = crowd.map(row)
      const output = { name: 'y', type: 'float32', dims: [1, rows.length, rows[0]!.length] } as const
      const options = {
        family: family as DetectionFamilyName,
        threshold: 0.25,
        iou,
        limit: 1000,
        byClass: true,
        labels: []
      }
      const ours = detect([{ ...output, data: bytesOf('float32', rows.flat()) }], options, PLACE)
      const theirs = await choose(crowd, iou, 0.25)
      expect(ours.map(({ index, score, box }) => [index, score.toFixed(2), ...box].join(' ')).sort()).toEqual(
        theirs.map(shown).sort()
      )
    }),
    { numRuns: 50 }
  )
})
