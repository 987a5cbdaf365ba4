import { join } from 'node:path'
import type { ScenarioModel } from '../../core/scenario.ts'
import { writeZooModel } from '../../model/files/write-zoo-model.ts'
import {
  activationName,
  MACS_A_ROW,
  type SyntheticBlock,
  syntheticGraph
} from '../../model/synthetic/synthetic-graph.ts'
import { openModel } from '../../runtime/onnx/open-model.ts'
import { systemClock } from '../../runtime/system-clock.ts'

type Synthetic = Extract<ScenarioModel, { readonly kind: 'synthetic' }>

export interface WrittenSynthetic {
  readonly file: string
  /** Where it is to be cut. */
  readonly tensors: readonly string[]
}

/** What the matrix products of a synthetic model take here. */
export interface Calibration {
  readonly secondsPerMac: number
  readonly secondsPerBlock: number
}

const RUNS = 15

/** Time blocks of two sizes, on one thread: the slope is the work, the rest what a block costs anyway. */
export const calibrateSynthetic = async (folder: string): Promise<Calibration> => {
  const [small, large] = [200 * MACS_A_ROW, 4000 * MACS_A_ROW]
  const [few, many] = [await timeOf(folder, small), await timeOf(folder, large)]
  const secondsPerMac = Math.max(1e-13, (many - few) / (large - small))
  return { secondsPerMac, secondsPerBlock: Math.max(0, few - small * secondsPerMac) }
}

const timeOf = async (folder: string, macs: number): Promise<number> => {
  const file = join(folder, `calibrate-${macs}.onnx`)
  await writeZooModel(syntheticGraph([{ macs, weightBytes: 0 }], [4000, 4000]), file, { seed: 1 })
  const model = await openModel(file, { threads: 1 })
  const input = { name: activationName(0), type: 'float32', dims: [1000], data: new Uint8Array(4000) } as const
  const times: number[] = []
  for (let run = -3; run < RUNS; run++) {
    const start = systemClock.now()
    await model.run([input])
    if (run >= 0) times.push(systemClock.now() - start)
  }
  await model.close()
  return Math.min(...times)
}

/**
 * Write a model with the asked work, weights and activations.
 * @param share of the asked work that it really computes
 * @param seed of its weights: two models of the same sizes must not be the same model
 */
export const writeSyntheticModel = async (
  model: Synthetic,
  folder: string,
  { secondsPerMac, secondsPerBlock, share, seed }: Calibration & { readonly share: number; readonly seed: number }
): Promise<WrittenSynthetic> => {
  const blocks = model.blocks.map(({ work, weights }): SyntheticBlock => {
    const macs = Math.max(0, (share * work - secondsPerBlock) / secondsPerMac)
    return { macs, weightBytes: weights }
  })
  const file = join(folder, `${model.name.replace(/[^A-Za-z0-9_-]/g, '_')}.onnx`)
  await writeZooModel(syntheticGraph(blocks, model.activations), file, { seed })
  return { file, tensors: model.blocks.slice(1).map((_, k) => activationName(k + 1)) }
}
