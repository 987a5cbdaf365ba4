import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlockHash } from '../core/ids.ts'
import { createEngine } from '../runtime/engine/create-engine.ts'
import { CLASSES, SIDE } from './detector-models.ts'

/** [class, score, top, left, bottom, right], the last four in pixels. */
export type Seen = readonly number[]

export interface PlainRules {
  readonly limit: number
  readonly byClass: boolean
  readonly threshold: number
}

/** What plain ONNX Runtime sees with a `yoloModel`, by the usual rules written down once more. @param folder for the file */
export const plainDetections = async (
  folder: string,
  model: Uint8Array,
  picture: Float32Array,
  { limit, byClass, threshold }: PlainRules
): Promise<readonly Seen[]> => {
  const values = await outputOf(folder, model, picture)
  const boxes = values.length / (4 + CLASSES)
  const seen = Array.from({ length: boxes }, (_, i) => {
    const of = (column: number): number => values[column * boxes + i]!
    const scores = Array.from({ length: CLASSES }, (_, c) => of(4 + c))
    const score = Math.max(...scores)
    return [scores.indexOf(score), score, of(1) - of(3) / 2, of(0) - of(2) / 2, of(1) + of(3) / 2, of(0) + of(2) / 2]
  })
  const kept: number[][] = []
  for (const row of seen.filter(([, score]) => score! > threshold).sort((a, b) => b[1]! - a[1]!))
    if (kept.length < limit && kept.every(other => (byClass && other[0] !== row[0]) || overlap(other, row) <= 0.4))
      kept.push(row)
  return kept.map(([index, score, ...box]) => [index!, score!, ...box.map(side => Math.min(SIDE, Math.max(0, side)))])
}

const outputOf = async (folder: string, model: Uint8Array, picture: Float32Array): Promise<Float32Array> => {
  await using engine = createEngine()
  const file = join(folder, 'plain.onnx')
  const whole = 'plain' as BlockHash
  await writeFile(file, model)
  await engine.load(whole, file)
  const data = new Uint8Array(picture.slice().buffer)
  const { outputs } = await engine.run(whole, [{ name: 'x', type: 'float32', dims: [1, 3, SIDE, SIDE], data }])
  return new Float32Array(outputs[0]!.data.buffer)
}

/** Intersection over union. */
const overlap = (a: Seen, b: Seen): number => {
  const [top, left] = [Math.max(a[2]!, b[2]!), Math.max(a[3]!, b[3]!)]
  const [bottom, right] = [Math.min(a[4]!, b[4]!), Math.min(a[5]!, b[5]!)]
  const both = Math.max(0, bottom - top) * Math.max(0, right - left)
  const area = (box: Seen): number => (box[4]! - box[2]!) * (box[5]! - box[3]!)
  return both / (area(a) + area(b) - both)
}
