import { TensorProto_DataType as T } from 'onnx-buf'
import { body, buildModel, int, int64s, node, value } from './onnx-builder.ts'

/**
 * `output` = `input` + 1 as many times as `input` says (float32, one element), or for ever where `isEndless`: a datum decides how long it
 * takes, and zeros take no time.
 */
export const loopingModel = ({ isEndless = false, input = 'x', output = 'y' } = {}): Uint8Array =>
  buildModel({
    inputs: [value(input, T.FLOAT, [1])],
    outputs: [value(output, T.FLOAT, [1])],
    weights: [
      { name: 'go', dataType: T.BOOL, dims: [], rawData: Uint8Array.of(1) },
      { name: 'one', dataType: T.FLOAT, dims: [1n], floatData: [1] },
      int64s('most', [Number.MAX_SAFE_INTEGER], [])
    ],
    nodes: [
      node('Cast', [input], ['times'], [int('to', T.INT64)]),
      node(
        'Loop',
        [isEndless ? 'most' : 'times', 'go', input],
        [output],
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
