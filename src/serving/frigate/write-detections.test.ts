import { expect, test } from 'vitest'
import type { Tensor } from '../../core/tensor.ts'
import { writeDetections } from './write-detections.ts'

const SIZE = { width: 640, height: 320 }
const tensor = (dims: readonly number[], numbers: readonly number[], name = 'y'): Tensor => ({
  ...{ name, type: 'float32', dims },
  data: new Uint8Array(Float32Array.from(numbers).buffer)
})
const int64 = (dims: readonly number[], numbers: readonly number[], name: string): Tensor => ({
  ...{ name, type: 'int64', dims },
  data: new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer)
})
const rows = (buffer: Buffer): number[][] =>
  Array.from({ length: 20 }, (_, row) => Array.from({ length: 6 }, (_, i) => buffer.readFloatLE(4 * (6 * row + i))))
const seen = (buffer: Buffer): number[][] => rows(buffer).filter(([, score]) => score !== 0)

/** Two of one place, of different classes; one elsewhere; one that is hardly seen. As left, top, right, bottom in pixels. */
const BOXES = [
  { box: [64, 32, 192, 96], score: 0.9, index: 2 },
  { box: [66, 32, 194, 96], score: 0.8, index: 1 },
  { box: [320, 160, 640, 320], score: 0.7, index: 0 },
  { box: [0, 0, 64, 32], score: 0.4, index: 0 }
] as const
const WANTED = [
  [2, 0.9, 0.1, 0.1, 0.3, 0.3],
  [0, 0.7, 0.5, 0.5, 1, 1]
]
const SUPPRESSED_INSIDE = [WANTED[0]!, [1, 0.8, 0.1, 66 / 640, 0.3, 194 / 640], WANTED[1]!]
const oneHot = (index: number, score: number): number[] => [0, 1, 2].map(i => (i === index ? score : 0))
const centred = ([l, t, r, b]: readonly number[]): number[] => [(l! + r!) / 2, (t! + b!) / 2, r! - l!, b! - t!]

const cells = [8, 16, 32].flatMap(stride =>
  Array.from({ length: (640 / stride) * (320 / stride) }, (_, i) => ({
    x: i % (640 / stride),
    y: Math.floor(i / (640 / stride)),
    stride
  }))
)
const yolox = cells.map(() => Array<number>(8).fill(0))
BOXES.forEach(({ box, score, index }, i) => {
  const [x, y, w, h] = centred(box) as [number, number, number, number]
  const at = cells.findIndex(cell => cell.stride === 32 && cell.x === i && cell.y === 3)
  const cell = cells[at]!
  yolox[at] = [x / 32 - cell.x, y / 32 - cell.y, Math.log(w / 32), Math.log(h / 32), 1, ...oneHot(index, score)]
})
/** Softmax of [nothing, a, b, c] gives `score` to one. */
const logits = (index: number, score: number): number[] => {
  const rest = Math.log((1 - score) / 3)
  return [rest, ...[0, 1, 2].map(i => (i === index ? Math.log(score) : rest))]
}
const shares = ([l, t, r, b]: readonly number[]): number[] => [l! / 640, t! / 320, r! / 640, b! / 320]
const filler = Array.from({ length: 10 }, () => [0, 0, 0, 0, 0, 0, 0])
const yoloRows = [...BOXES.map(({ box, score, index }) => [...centred(box), ...oneHot(index, score)]), ...filler]

test.each([
  ['yologeneric', [tensor([1, 14, 7], yoloRows.flat())], WANTED],
  [
    'yologeneric',
    [
      tensor(
        [1, 7, 14],
        yoloRows[0]!.flatMap((_, i) => yoloRows.map(row => row[i]!))
      )
    ],
    WANTED
  ],
  ['yolox', [tensor([1, cells.length, 8], yolox.flat())], WANTED],
  [
    'yolonas',
    [
      tensor(
        [4, 7],
        BOXES.flatMap(({ box, score, index }) => [0, ...box, score, index])
      )
    ],
    SUPPRESSED_INSIDE
  ],
  [
    'rfdetr',
    [
      tensor(
        [1, 4, 4],
        BOXES.flatMap(({ box }) => centred(shares(box))),
        'dets'
      ),
      tensor(
        [1, 4, 4],
        BOXES.flatMap(({ index, score }) => logits(index, score)),
        'labels'
      )
    ],
    WANTED
  ],
  [
    'dfine',
    [
      int64(
        [1, 4],
        BOXES.map(({ index }) => index),
        'labels'
      ),
      tensor(
        [1, 4, 4],
        BOXES.flatMap(({ box }) => box),
        'boxes'
      ),
      tensor(
        [1, 4],
        BOXES.map(({ score }) => score),
        'scores'
      )
    ],
    WANTED
  ],
  [
    'ssd',
    [
      tensor(
        [1, 1, 4, 7],
        BOXES.flatMap(({ box, score, index }) => [0, index + 1, score, ...shares(box)])
      )
    ],
    SUPPRESSED_INSIDE.map(([index, ...rest]) => [index! + 1, ...rest])
  ]
] as const)('%s: rows of class, score, top, left, bottom, right; best first', (family, outputs, wanted) => {
  const found = seen(writeDetections(outputs, family, SIZE))
  expect(found.map(row => row.map(number => Number(number.toFixed(4))))).toEqual(
    wanted.map(row => row.map(number => Number(number!.toFixed(4))))
  )
})

test('two classes and a hundred rows are no boxes that a model has chosen itself', () => {
  const few = [[320, 160, 64, 32, 0.9, 0.1], ...Array.from({ length: 99 }, () => [0, 0, 0, 0, 0, 0])]
  const [row] = seen(writeDetections([tensor([1, 100, 6], few.flat())], 'yologeneric', SIZE))
  expect(row!.map(number => Number(number.toFixed(3)))).toEqual([0, 0.9, 0.45, 0.45, 0.55, 0.55])
})

test('twenty at most, cut off at the edges, and what is no number is nothing', () => {
  const many = Array.from({ length: 30 }, (_, i) => [20 * i, 100, 10, 10, 0.9 - i / 100, 0, 0])
  const odd = [Number.NaN, 10, 10, 10, 0.99, 0, 0]
  const found = rows(writeDetections([tensor([1, 31, 7], [odd, ...many].flat())], 'yologeneric', SIZE))
  expect(found).toHaveLength(20)
  expect(found.map(([, score]) => Number(score!.toFixed(2)))).toEqual(
    many.slice(0, 20).map(row => Number(row[4]!.toFixed(2)))
  )
  expect(found[0]![3]).toBe(0)
})

test('outputs of another family are refused, with what it takes', () => {
  expect(() => writeDetections([tensor([1, 3], [0, 0, 0])], 'yolox', SIZE)).toThrow(
    /model_type yolox takes .* y float32/
  )
})
