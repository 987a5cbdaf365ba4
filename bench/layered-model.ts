import { TensorProto_DataType as T } from 'onnx-buf'
import { buildModel, floats, node, value } from '../src/testing/onnx-builder.ts'

/** So many layers, each a product of that width. */
export const layeredModel = (blocks: number, width: number): Uint8Array => {
  const layers = Array.from({ length: blocks }, (_, i) => i)
  return buildModel({
    inputs: [value('x', T.FLOAT, [1, width])],
    outputs: [value('y', T.FLOAT, [1, width])],
    weights: layers.map(i => floats(`w${i}`, [width, width], 0.03 + i / 1000)),
    nodes: layers.flatMap(i => [
      node('MatMul', [i === 0 ? 'x' : `r${i - 1}`, `w${i}`], [`m${i}`]),
      node('Relu', [`m${i}`], [i === blocks - 1 ? 'y' : `r${i}`])
    ])
  })
}
