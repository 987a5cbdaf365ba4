import { expect, test } from 'vitest'
import { readConfig } from './read-config.ts'

const read = (config: object) => readConfig(JSON.stringify(config), 'net', 1024)

test('a configuration says how large batches are, and the shapes of inputs', () => {
  const input = [
    { name: 'x', dims: [4] },
    { name: 'open', dims: ['-1', 3] }
  ]
  expect(read({ max_batch_size: 8, input })).toEqual({ mostData: 8, shapes: new Map([['x', [1, 4]]]) })
  expect(read({ input })).toEqual({
    mostData: undefined,
    shapes: new Map([
      ['x', [4]],
      ['open', [1, 3]]
    ])
  })
})

test('what a node tells of a model may be sent back, and what says nothing with it', () => {
  const told = {
    ...{ name: 'net', platform: 'onnxruntime_onnx', backend: 'onnxruntime', max_batch_size: 1024 },
    version_policy: { latest: { num_versions: 1 } },
    input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4], format: '', is_shape_tensor: false }],
    output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [3], label_filename: '' }],
    parameters: { metadata: { string_value: '{}' } },
    ...{ instance_group: [], metric_tags: {}, optimization: null }
  }
  expect(read(told)).toEqual({ mostData: 1024, shapes: new Map([['x', [1, 4]]]) })
})

test.each([
  [{ dynamic_batching: { max_queue_delay_microseconds: 100 } }, /'dynamic_batching' is not obeyed here: leave it out/],
  [{ input: [{ name: 'x', dims: [4], reshape: { shape: [2, 2] } }] }, /input.0: 'reshape' is not obeyed/],
  [{ parameters: { intra_op_thread_count: { string_value: '1' } } }, /parameters: 'intra_op_thread_count' is not/],
  [{ version_policy: { specific: { versions: [2] } } }, /version_policy: 'specific' is not obeyed/],
  [{ backend: 'tensorrt' }, /backend/],
  [{ name: 'other' }, /name: it is "other", and the model "net"/],
  [{ max_batch_size: 2000 }, /2000 is more than 1024/],
  [{ max_batch_size: -1 }, /max_batch_size/],
  [[], /expected/]
])('what is not obeyed is refused in words: %j', (config, words) => {
  expect(() => read(config)).toThrow(words)
})
