import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { madeUpTensor } from '../core/made-up-tensor.ts'
import { createRng } from '../core/rng.ts'
import type { ElementType, Tensor } from '../core/tensor.ts'
import { writeZooModel } from '../model/files/write-zoo-model.ts'
import type { OpenedModel } from '../model/open-model.ts'
import { zooGraph } from '../model/zoo/zoo.ts'
import { openModel } from '../runtime/onnx/open-model.ts'

/** A model of the zoo has finite results that depend on its input. */
export const expectLivelyModel = async (name: string, folder: string): Promise<void> => {
  const model = await openZooModel(name, folder)
  const answer = (seed: string): Promise<readonly Tensor[]> => {
    const rng = createRng(seed)
    return model.run(model.inputs.map(i => madeUpTensor(i.name, i.type as ElementType, i.shape as number[], rng)))
  }
  expectLively(model, await answer('one'), await answer('two'))
  await model.close()
}

/** Its file is gone when it is open. */
export const openZooModel = async (name: string, folder: string, sequence?: number): Promise<OpenedModel> => {
  const file = join(folder, `${name}.onnx`)
  const graph = zooGraph(name, sequence)
  const { bytes } = await writeZooModel(graph, file, { seed: 3 })
  expect(bytes).toBeGreaterThan(4 * graph.parameters)
  const model = await openModel(file)
  await rm(file)
  return model
}

/** Finite, neither flat nor huge, of the shape that the model declares, and not the same for another input. */
export const expectLively = (model: OpenedModel, outputs: readonly Tensor[], others: readonly Tensor[]): void => {
  for (const [i, output] of outputs.entries()) {
    const values = floatsOf(output)
    expect(values.every(Number.isFinite)).toBe(true)
    expect(deviation(values)).toBeGreaterThan(1e-3)
    expect(deviation(values)).toBeLessThan(1e3)
    expect(floatsOf(others[i]!)).not.toEqual(values)
    expect(model.outputs[i]!.shape).toEqual(output.dims)
  }
}

export const floatsOf = ({ data }: Tensor): Float32Array =>
  new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4)

const deviation = (values: Float32Array): number => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}
