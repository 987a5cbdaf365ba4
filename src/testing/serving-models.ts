import { TensorProto_DataType as T } from 'onnx-buf'
import { buildModel, floats, node, value } from './onnx-builder.ts'

/** Models for those who ask a node that serves. */

/** `x` [N,4] to `y` [N,3] and `z` [N,4], in several blocks; says of itself what a detector does. */
export const mixerModel = (): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, ['N', 4])],
    outputs: [value('y', T.FLOAT, ['N', 3]), value('z', T.FLOAT, ['N', 4])],
    weights: [floats('w1', [4, 4]), floats('w2', [4, 4]), floats('w3', [4, 3])],
    nodes: [
      node('MatMul', ['x', 'w1'], ['a']),
      node('Tanh', ['a'], ['b']),
      node('MatMul', ['b', 'w2'], ['c']),
      node('Relu', ['c'], ['z']),
      node('MatMul', ['z', 'w3'], ['d']),
      node('Sigmoid', ['d'], ['y'])
    ],
    properties: { task: 'detect', stride: '32', imgsz: '[640, 640]', names: "{0: 'person', 1: \"it's\"}" }
  })

/** The types of elements that a model may take, by the protocol's names. */
export const IDENTITIES = {
  BOOL: T.BOOL,
  UINT8: T.UINT8,
  UINT16: T.UINT16,
  UINT32: T.UINT32,
  UINT64: T.UINT64,
  INT8: T.INT8,
  INT16: T.INT16,
  INT32: T.INT32,
  INT64: T.INT64,
  FP16: T.FLOAT16,
  FP32: T.FLOAT,
  FP64: T.DOUBLE,
  BYTES: T.STRING
} as const

/** One input and one output of each type, [2,2]: `in_FP32` to `out_FP32`. */
export const identitiesModel = (): Uint8Array => {
  const all = Object.entries(IDENTITIES)
  return buildModel({
    inputs: all.map(([name, type]) => value(`in_${name}`, type, [2, 2])),
    outputs: all.map(([name, type]) => value(`out_${name}`, type, [2, 2])),
    nodes: all.map(([name]) => node('Identity', [`in_${name}`], [`out_${name}`]))
  })
}
