import { TensorProto_DataType as T } from 'onnx-buf'
import { body, buildModel, int, int64s, node, value } from './onnx-builder.ts'

/**
 * y = x + 1 as many times as x says (float32, one element), or for ever where `isEndless`: a datum decides how long it
 * takes, and zeros take no time.
 */
export const loopingModel = ({ isEndless = false } = {}): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, [1])],
    outputs: [value('y', T.FLOAT, [1])],
    weights: [
      { name: 'go', dataType: T.BOOL, dims: [], rawData: Uint8Array.of(1) },
      { name: 'one', dataType: T.FLOAT, dims: [1n], floatData: [1] },
      int64s('most', [Number.MAX_SAFE_INTEGER], [])
    ],
    nodes: [
      node('Cast', ['x'], ['times'], [int('to', T.INT64)]),
      node(
        'Loop',
        [isEndless ? 'most' : 'times', 'go', 'x'],
        ['y'],
        [
          body('body', {
            name: 'step',
            input: [value('i', T.INT64, []), value('before', T.BOOL, []), value('sum', T.FLOAT, [1])],
            output: [value('after', T.BOOL, []), value('next', T.FLOAT, [1])],
            node: [node('Identity', ['before'], ['after']), node('Add', ['sum', 'one'], ['next'])]
          })
        ]
      )
    ]
  })
