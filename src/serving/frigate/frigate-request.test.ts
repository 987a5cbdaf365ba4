import { expect, test } from 'vitest'
import { readFrigateRequest } from './frigate-request.ts'
import { modelNameOf } from './model-name.ts'

const read = (header: object | string, payload?: Uint8Array) =>
  readFrigateRequest(Buffer.from(typeof header === 'string' ? header : JSON.stringify(header)), payload)
const tensor = { shape: [1, 3, 2, 2], dtype: 'float32', model_type: 'yolox' }

test('what it asks', () => {
  expect(read({ model_request: true, model_name: 'a.onnx' })).toEqual({ kind: 'ask', model: 'a.onnx' })
  const file = Buffer.from('onnx')
  expect(read({ model_data: true, model_name: 'a.onnx' }, file)).toEqual({ kind: 'upload', model: 'a.onnx', file })
  const data = Buffer.alloc(48)
  const picture = { type: 'float32', dims: [1, 3, 2, 2], data }
  expect(read(tensor, data)).toEqual({ kind: 'detect', family: 'yolox', picture })
  const { model_type: _, ...older } = tensor
  expect(read(older, data)).toMatchObject({ family: 'yologeneric' })
})

test.each([
  ['no JSON', '{', undefined, /not JSON/],
  ['no object', 'null', undefined, /header/],
  ['an endless header', JSON.stringify({ model_name: 'a'.repeat(70_000) }), undefined, /at most 65536/],
  ['a file that is missing', { model_data: true, model_name: 'a.onnx' }, undefined, /file of the model is missing/],
  ['no name', { model_request: true }, undefined, /model_name/],
  ['a type that there is not', { ...tensor, dtype: 'complex64' }, Buffer.alloc(48), /dtype/],
  ['text', { ...tensor, dtype: 'string' }, Buffer.alloc(48), /dtype/],
  ['a family that there is not', { ...tensor, model_type: 'clip' }, Buffer.alloc(48), /model_type/],
  ['a size that lies', tensor, Buffer.alloc(47), /48 bytes; 47 came/],
  ['no tensor', tensor, undefined, /48 bytes; 0 came/],
  [
    'a shape that would need a building',
    { ...tensor, shape: [1, 65_536, 65_536, 65_536] },
    Buffer.alloc(48),
    /48 came/
  ],
  ['a negative side', { ...tensor, shape: [1, 3, -2, 2] }, Buffer.alloc(48), /shape/],
  ['a hundred dimensions', { ...tensor, shape: Array(100).fill(1) }, Buffer.alloc(4), /shape/]
])('%s is refused', (_, header, payload, why) => {
  expect(() => read(header, payload)).toThrow(why)
})

test('a file has a name that the cluster can use', () => {
  expect(modelNameOf('yolo_nano.onnx')).toBe('yolo_nano')
  expect(modelNameOf('/config/model_cache/yolo.ONNX')).toBe('yolo')
  expect(modelNameOf('my yolo.onnx')).toMatch(/^my-yolo-[0-9a-f]{8}$/)
  expect(modelNameOf('../../etc/passwd')).toBe('passwd')
  expect(modelNameOf('..')).toMatch(/^model-[0-9a-f]{8}$/)
  expect(modelNameOf(`${'a'.repeat(200)}.onnx`)).toHaveLength(63)
  expect(modelNameOf('my yolo.onnx')).not.toBe(modelNameOf('my-yolo.onnx'))
})
