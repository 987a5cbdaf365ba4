import { createWriteStream, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fromBinary } from '@bufbuild/protobuf'
import { type ModelProto, ModelProtoSchema, TensorProto_DataType as T } from 'onnx-buf'
import { expect } from 'vitest'
import { compareOutputs } from '../core/compare-outputs.ts'
import { createRng } from '../core/rng.ts'
import { activationsAt, type StudiedModel, withAllCutPoints } from '../model/cut-model.ts'
import { studyModel } from '../model/files/study-model.ts'
import { writeBlocks } from '../model/files/write-blocks.ts'
import { runChain } from '../model/run-chain.ts'
import { feedsFor } from '../model/tensor-facts.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { buildModel, type Dims, type ModelParts, node, value } from './onnx-builder.ts'

/** Of the tests' models and blocks; goes with the folder of all that tests write. */
export const folder = mkdtempSync(join(tmpdir(), 'tributary-models-'))
let files = 0
export const fresh = (): string => join(folder, `${files++}.onnx`)
export const save = (parts: ModelParts): string => {
  const file = fresh()
  writeFileSync(file, buildModel(parts))
  return file
}

const F = T.FLOAT
export const none = new Map<string, readonly number[]>()

/** The model, with every possible cut point and not only the good ones. */
export const study = async (
  file: string,
  shapes: ReadonlyMap<string, readonly number[]> = none
): Promise<StudiedModel> => {
  return withAllCutPoints(await studyModel(file, shapes, openModel))
}

/** @param shapes of the inputs, where they are not those that the model was studied at */
export const chainDiffers = async (
  model: StudiedModel,
  cuts: readonly number[],
  shapes: ReadonlyMap<string, readonly number[]> = model.facts.inputShapes
): Promise<number> => {
  const paths: string[] = []
  await writeBlocks(model, cuts, async (index, chunks) => {
    paths[index] = fresh()
    await pipeline(Readable.from(chunks), createWriteStream(paths[index]))
  })
  const whole = await openModel(model.analysis.file.path)
  const blocks = await Promise.all(paths.map(path => openModel(path)))
  const keep = activationsAt(model, cuts)
    .slice(1)
    .map(a => a.tensors.map(t => t.name))
  const feeds = feedsFor(whole.inputs, shapes, `seed ${cuts.join()}`)!
  const difference = compareOutputs(await whole.run(feeds, model.analysis.outputs), await runChain(blocks, keep, feeds))
  await Promise.all([whole, ...blocks].map(opened => opened.close()))
  return difference.maxRelDiff
}

/** The blocks between these cut points, as messages. */
export const blockProtos = async (model: StudiedModel, cuts: readonly number[]): Promise<ModelProto[]> => {
  const blocks: ModelProto[] = []
  await writeBlocks(model, cuts, async (index, chunks) => {
    const pieces: Uint8Array[] = []
    for await (const chunk of chunks) pieces.push(chunk)
    blocks[index] = fromBinary(ModelProtoSchema, Buffer.concat(pieces))
  })
  return blocks
}

/** Cut at each single point, at all of them, and at random subsets; the chain must do what the whole does. */
export const exactEverywhere = async (
  model: StudiedModel,
  tolerance = 0,
  shapes?: ReadonlyMap<string, readonly number[]>
): Promise<void> => {
  const all = model.cutPoints.map((_, i) => i)
  const rng = createRng('subsets')
  const subsets = Array.from({ length: 3 }, () => all.filter(() => rng.next() < 0.5))
  for (const cuts of [[], ...all.map(i => [i]), all, ...subsets]) {
    expect(await chainDiffers(model, cuts, shapes), `cut at ${cuts.join()}`).toBeLessThanOrEqual(tolerance)
  }
}

export const check = async (
  parts: ModelParts,
  { shapes = none, cutPoints = 1, tolerance = 0 } = {}
): Promise<StudiedModel> => {
  const model = await study(save(parts), shapes)
  expect(model.cutPoints.length).toBeGreaterThanOrEqual(cutPoints)
  await exactEverywhere(model, tolerance)
  return model
}

export const x = (dims: Dims = [2, 3], type: T = F) => value('x', type, dims)
export const y = (dims?: Dims, type: T = F) => value('y', type, dims)
export const chain = (...ops: readonly string[]) =>
  ops.map((op, i) => node(op, [i === 0 ? 'x' : `t${i}`], [i === ops.length - 1 ? 'y' : `t${i + 1}`]))
