import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ElementType, Tensor } from '../../../core/tensor.ts'
import { bytesOf } from '../tensor-numbers.ts'
import { BUILT_IN_LABELS } from './coco-labels.ts'
import { type DetectOptions, detect } from './detect.ts'
import type { Box } from './detection.ts'
import { DETECTION_FAMILIES, type DetectionFamilyName } from './detection-families.ts'
import { gridCells } from './grid-cells.ts'
import { suppress } from './suppress.ts'

/** A picture of 1280 x 720 in the middle of 640 x 640. */
const PLACE = {
  image: { width: 1280, height: 720 },
  fitting: {
    scaled: { width: 640, height: 360 },
    cut: { width: 640, height: 360 },
    canvas: { width: 640, height: 640 },
    left: 0,
    top: 140
  }
}
/** In the picture, and where that is in the model's input. */
const BOX: Box = [320, 180, 640, 360]
const [X, Y, W, H] = [240, 275, 160, 90]
const CORNERS = [160, 230, 320, 320]
const CLASS = 2
const CLASSES = 5

type Numeric = Exclude<ElementType, 'string'>
const tensor = (
  dims: readonly number[],
  numbers: readonly number[],
  name = 'y',
  type: Numeric = 'float32'
): Tensor => ({
  ...{ name, type, dims },
  data: bytesOf(type, numbers)
})

const options = (family: DetectionFamilyName, more: Partial<DetectOptions> = {}): DetectOptions => ({
  ...{ family, threshold: 0.4, iou: 0.4, limit: 100, byClass: true, labels: ['a', 'b', 'c', 'd', 'e'] },
  ...more
})

const scores = (score: number, at = CLASS): number[] =>
  Array.from({ length: CLASSES }, (_, i) => (i === at ? score : 0.01))
const transposed = (rows: readonly (readonly number[])[]): number[] =>
  rows[0]!.flatMap((_, i) => rows.map(row => row[i]!))
const inverse = (probability: number): number => Math.log(probability / (1 - probability))

/** The same object seen twice, more and less clearly, and one that is hardly seen. */
const yoloRows = [
  [X, Y, W, H, ...scores(0.9)],
  [X + 4, Y, W, H, ...scores(0.8)],
  [100, 300, 20, 20, ...scores(0.3)],
  ...Array.from({ length: 20 }, () => [0, 0, 1, 1, ...scores(0.001)])
]

/** A row for each cell; `seen` in the cell of the object's centre for the stride. */
const gridRows = (
  strides: readonly number[],
  stride: number,
  seen: (x: number, y: number) => number[],
  width: number
) =>
  gridCells(640, 640, strides).map(cell =>
    cell.stride === stride && cell.x === Math.floor(X / stride) && cell.y === Math.floor(Y / stride)
      ? seen(cell.x, cell.y)
      : Array<number>(width).fill(0)
  )

/** One of three scales: channels of the third anchor of stride 32, 142 x 110 being the first. */
const anchored = (): Tensor[] =>
  [8, 16, 32].map(stride => {
    const [size, channels] = [640 / stride, 3 * (5 + CLASSES)]
    const numbers = Array<number>(channels * size * size).fill(0)
    if (stride === 32) {
      const [x, y] = [Math.floor(X / stride), Math.floor(Y / stride)]
      const values = [X / stride - x, Y / stride - y].map(within => (within + 0.5) / 2)
      const sides = [Math.sqrt(W / 142) / 2, Math.sqrt(H / 110) / 2]
      for (const [i, value] of [...values, ...sides, 0.95, ...scores(0.95)].entries())
        numbers[i * size * size + y * size + x] = value
    }
    return tensor([1, channels, size, size], numbers, `scale${stride}`)
  })

const distances = (cells: readonly number[]): number[] =>
  cells.flatMap(cell => {
    const low = Math.floor(cell)
    const share = cell - low
    return Array.from({ length: 8 }, (_, bin) =>
      bin === low ? Math.log(Math.max(1 - share, 1e-9)) : bin === low + 1 ? Math.log(Math.max(share, 1e-9)) : -30
    )
  })

const OUTPUTS: Readonly<Record<string, readonly [DetectionFamilyName, readonly Tensor[]]>> = {
  'yolo, boxes in columns': ['yolo', [tensor([1, 4 + CLASSES, yoloRows.length], transposed(yoloRows))]],
  'yolo, boxes in rows': ['yolo', [tensor([1, yoloRows.length, 4 + CLASSES], yoloRows.flat())]],
  'yolo, on anchors': ['yolo', anchored()],
  'yolo, on anchors, the coarsest first': ['yolo', anchored().reverse()],
  'yolo, its boxes chosen': [
    'yolo',
    [tensor([1, 3, 6], [...CORNERS, 0.9, CLASS, ...Array(6).fill(0), 1, 1, 9, 9, 0.2, 1])]
  ],
  yolov5: [
    'yolov5',
    [
      tensor(
        [1, yoloRows.length, 5 + CLASSES],
        yoloRows.flatMap(row => [...row.slice(0, 4), 0.99, ...row.slice(4)])
      )
    ]
  ],
  yolox: [
    'yolox',
    [
      tensor(
        [1, 8400, 5 + CLASSES],
        gridRows(
          [8, 16, 32],
          16,
          (x, y) => [X / 16 - x, Y / 16 - y, Math.log(W / 16), Math.log(H / 16), 0.95, ...scores(0.95)],
          5 + CLASSES
        ).flat()
      )
    ]
  ],
  rfdetr: [
    'rfdetr',
    [
      tensor([1, 3, 4], [X / 640, Y / 640, W / 640, H / 640, 0.1, 0.1, 0.1, 0.1, 0.5, 0.5, 0.1, 0.1], 'dets'),
      tensor([1, 3, 1 + CLASSES], [0, -9, -9, inverse(0.9), -9, -9, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'labels')
    ]
  ],
  'rfdetr, three classes, logits first': [
    'rfdetr',
    [
      tensor([1, 2, 4], [0, -9, -9, inverse(0.9), 5, 0, 0, 0], 'logits'),
      tensor([1, 2, 4], [X / 640, Y / 640, W / 640, H / 640, 0.1, 0.1, 0.1, 0.1], 'pred_boxes')
    ]
  ],
  dfine: [
    'dfine',
    [
      tensor([1, 3], [CLASS, CLASS, 1], 'labels', 'int64'),
      tensor([1, 3, 4], [...CORNERS, ...CORNERS.map(side => side + 2), 1, 1, 9, 9], 'boxes'),
      tensor([1, 3], [0.9, 0.7, 0.2], 'scores')
    ]
  ],
  yolonas: ['yolonas', [tensor([2, 7], [0, ...CORNERS, 0.9, CLASS, 0, 1, 1, 9, 9, 0.1, 0])]],
  'ssd, OpenVINO': [
    'ssd',
    [
      tensor(
        [1, 1, 3, 7],
        [0, CLASS + 1, 0.9, ...CORNERS.map(side => side / 640), 0, 1, 0.2, 0, 0, 1, 1, -1, ...Array(6).fill(0)]
      )
    ]
  ],
  'ssd, TensorFlow': [
    'ssd',
    [
      tensor(
        [1, 2, 4],
        [230, 160, 320, 320, 0, 0, 1, 1].map(side => side / 640),
        'detection_boxes:0'
      ),
      tensor([1, 2], [CLASS + 1, 1], 'detection_classes:0'),
      tensor([1, 2], [0.9, 0.8], 'detection_scores:0'),
      tensor([1], [1], 'num_detections:0')
    ]
  ],
  'ssd, TensorFlow, with what is raw': [
    'ssd',
    [
      tensor([1, 2, 3], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 'detection_multiclass_scores'),
      tensor([1, 2, 4], [0, 0, 1, 1, 0, 0, 1, 1], 'raw_detection_boxes'),
      tensor([1, 2, 3], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 'raw_detection_scores'),
      tensor([1, 2], [0, 1], 'detection_anchor_indices'),
      tensor(
        [1, 2, 4],
        [230, 160, 320, 320, 0, 0, 1, 1].map(side => side / 640),
        'detection_boxes'
      ),
      tensor([1, 2], [CLASS + 1, 1], 'detection_classes'),
      tensor([1, 2], [0.9, 0.8], 'detection_scores'),
      tensor([1], [1], 'num_detections')
    ]
  ],
  nanodet: [
    'nanodet',
    [
      tensor(
        [1, 8500, CLASSES + 32],
        gridRows(
          [8, 16, 32, 64],
          32,
          (x, y) => [...scores(0.9), ...distances([x - 160 / 32, y - 230 / 32, 320 / 32 - x, 320 / 32 - y])],
          CLASSES + 32
        ).flat()
      )
    ]
  ]
}

test.each(Object.entries(OUTPUTS))(
  '%s: what is seen has its class, and its box in pixels of the picture',
  (_, [family, outputs]) => {
    const [seen, ...others] = detect(outputs, options(family), PLACE)
    expect(others).toEqual([])
    expect(seen).toMatchObject({ index: CLASS, label: 'c' })
    expect(seen!.score).toBeCloseTo(0.9, 1)
    for (const [i, side] of seen!.box.entries()) expect(side).toBeCloseTo(BOX[i]!, 1)
  }
)

test.each(Object.entries(OUTPUTS))(
  '%s: tells how many classes it has, where its shape does',
  (name, [family, outputs]) => {
    expect([name.includes('three') ? 3 : CLASSES, undefined]).toContain(DETECTION_FAMILIES[family].classes(outputs))
  }
)

test.each(Object.keys(DETECTION_FAMILIES) as DetectionFamilyName[])(
  '%s refuses outputs of another kind, and says what it takes',
  family => {
    expect(() => detect([tensor([1, 3], [0, 0, 0])], options(family), PLACE)).toThrow(
      new RegExp(`family ${family} takes .*; the model gives: y float32\\[1, 3\\]`)
    )
  }
)

test('what is beyond the picture is cut off, and what is no number is no box', () => {
  const rows = [
    [0, 140, 200, 40, ...scores(0.9)],
    [Number.NaN, 200, 10, 10, ...scores(0.9)],
    ...Array.from({ length: 20 }, () => [0, 0, 1, 1, ...scores(0)])
  ]
  const seen = detect([tensor([1, rows.length, 9], rows.flat())], options('yolo'), PLACE)
  expect(seen.map(({ box }) => box)).toEqual([[0, 0, 200, 40]])
})

test('boxes of different classes leave each other alone, unless they shall not', () => {
  const rows = [
    [X, Y, W, H, ...scores(0.9)],
    [X, Y, W, H, ...scores(0.8, 1)],
    ...Array.from({ length: 20 }, () => [0, 0, 1, 1, ...scores(0)])
  ]
  const outputs = [tensor([1, rows.length, 9], rows.flat())]
  expect(detect(outputs, options('yolo'), PLACE).map(({ label }) => label)).toEqual(['c', 'b'])
  expect(detect(outputs, options('yolo', { byClass: false }), PLACE).map(({ label }) => label)).toEqual(['c'])
  expect(detect(outputs, options('yolo', { limit: 1, labels: [] }), PLACE)).toHaveLength(1)
})

test('of whatever boxes, those that stay overlap no more than is allowed, and each that goes is covered by a likelier one', () => {
  const side = fc.integer({ min: 0, max: 60 })
  const candidate = fc
    .record({ x: side, y: side, w: fc.integer({ min: 1, max: 40 }), h: fc.integer({ min: 1, max: 40 }) })
    .chain(({ x, y, w, h }) =>
      fc.record({
        box: fc.constant([x, y, x + w, y + h] as Box),
        index: fc.integer({ min: 0, max: 1 }),
        score: fc.double({ min: 0, max: 1, noNaN: true })
      })
    )
  const cells = ([l, t, r, b]: Box): Set<number> => {
    const all = new Set<number>()
    for (let y = t; y < b; y++) for (let x = l; x < r; x++) all.add(1000 * y + x)
    return all
  }
  const iou = (a: Box, b: Box): number => {
    const [ours, theirs] = [cells(a), cells(b)]
    const both = [...ours].filter(cell => theirs.has(cell)).length
    return both / (ours.size + theirs.size - both)
  }
  fc.assert(
    fc.property(fc.array(candidate, { maxLength: 12 }), candidates => {
      const kept = suppress(candidates, { iou: 0.5, limit: 100, byClass: true })
      for (const [i, a] of kept.entries())
        for (const b of kept.slice(i + 1)) if (a.index === b.index && iou(a.box, b.box) > 0.5) return false
      return candidates.every(
        gone =>
          kept.includes(gone) ||
          kept.some(a => a.index === gone.index && a.score >= gone.score && iou(a.box, gone.box) > 0.5)
      )
    }),
    { numRuns: 200 }
  )
})

test("COCO's classes, by either count", () => {
  const [eighty, ninety] = [BUILT_IN_LABELS['coco80']!(), BUILT_IN_LABELS['coco90']!()]
  expect([eighty.length, ninety.length, eighty[79], ninety[89]]).toEqual([80, 90, 'toothbrush', 'toothbrush'])
  expect([ninety[0], ninety[11], ninety[12], ninety[15], ninety[43]]).toEqual([
    'person',
    '',
    'stop sign',
    'bird',
    'bottle'
  ])
})
