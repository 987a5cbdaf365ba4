import { TensorProto_DataType as T } from 'onnx-buf'
import { buildModel, type Dims, floats, int64s, ints, node, value } from './onnx-builder.ts'

/** Pixels of a side of the pictures that these models take. */
export const SIDE = 32
export const CLASSES = 5
const CHANNELS = 8
const CELLS = 4

/** Three convolutions: from a picture `x` to `out` maps of so many cells a side; each is a place for a cut. */
const backbone = (out: number) => ({
  weights: [
    floats('w1', [CHANNELS, 3, 3, 3], 0.4),
    floats('w22', [CHANNELS, CHANNELS, 3, 3], 0.3),
    floats('w333', [out, CHANNELS, CELLS, CELLS], 0.35)
  ],
  nodes: [
    node('Conv', ['x', 'w1'], ['c1'], [ints('pads', [1, 1, 1, 1])]),
    node('Relu', ['c1'], ['r1']),
    node('Conv', ['r1', 'w22'], ['c2'], [ints('pads', [1, 1, 1, 1])]),
    node('Relu', ['c2'], ['r2']),
    node('Conv', ['r2', 'w333'], ['maps'], [ints('strides', [CELLS, CELLS])])
  ]
})

/** YOLO's one output: [1, 4 + classes, boxes] of pixels and probabilities. @param dims of its picture; the model is free in what they leave open */
export const yoloModel = (dims: Dims = [1, 3, SIDE, SIDE]): Uint8Array => {
  const { weights, nodes } = backbone(4 + CLASSES)
  const scale = [SIDE, SIDE, SIDE / 4, SIDE / 4, ...Array(CLASSES).fill(1)]
  return buildModel({
    inputs: [value('x', T.FLOAT, dims)],
    outputs: [value('y', T.FLOAT, [1, 4 + CLASSES, null])],
    weights: [
      ...weights,
      int64s('shape', [1, 4 + CLASSES, -1]),
      { name: 'scale', dataType: T.FLOAT, dims: [1n, BigInt(scale.length), 1n], floatData: scale }
    ],
    nodes: [
      ...nodes,
      node('Reshape', ['maps', 'shape'], ['rows']),
      node('Sigmoid', ['rows'], ['shares']),
      node('Mul', ['shares', 'scale'], ['y'])
    ]
  })
}

/** D-FINE's three outputs, the boxes in pixels of `orig_target_sizes`. */
export const dfineModel = (): Uint8Array => {
  const { weights, nodes } = backbone(4 + CLASSES)
  return buildModel({
    inputs: [value('x', T.FLOAT, [1, 3, SIDE, SIDE]), value('orig_target_sizes', T.INT64, [1, 2])],
    outputs: [
      value('labels', T.INT64, [1, null]),
      value('boxes', T.FLOAT, [1, null, 4]),
      value('scores', T.FLOAT, [1, null])
    ],
    weights: [
      ...weights,
      int64s('shape', [1, 4 + CLASSES, -1]),
      int64s('parts', [4, CLASSES]),
      int64s('order', [1, 0, 1, 0])
    ],
    nodes: [
      ...nodes,
      node('Reshape', ['maps', 'shape'], ['columns']),
      node('Transpose', ['columns'], ['rows'], [ints('perm', [0, 2, 1])]),
      node('Sigmoid', ['rows'], ['shares']),
      node('Split', ['shares', 'parts'], ['sides', 'likely'], [intAxis(2)]),
      node('Cast', ['orig_target_sizes'], ['size'], [{ name: 'to', type: 2, i: BigInt(T.FLOAT) }]),
      node('Gather', ['size', 'order'], ['whole'], [intAxis(1)]),
      node('Mul', ['sides', 'whole'], ['boxes']),
      node('ReduceMax', ['likely'], ['scores'], [ints('axes', [2]), { name: 'keepdims', type: 2, i: 0n }]),
      node('ArgMax', ['likely'], ['labels'], [intAxis(2), { name: 'keepdims', type: 2, i: 0n }])
    ]
  })
}

const intAxis = (axis: number) => ({ name: 'axis', type: 2, i: BigInt(axis) })

/** A picture of numbers that look like none. @param seed for another one */
export const madeUpPicture = (seed = 0): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => Math.sin((i + 1) * (12.9898 + seed)) * 1.5)
