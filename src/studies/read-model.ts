import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TensorSpec } from '../core/tensor.ts'
import { UserError } from '../core/user-error.ts'
import {
  activationsAt,
  blockFacts,
  cutsAtTensors,
  cutsForParts,
  type StudiedModel,
  studyModel,
  withAllCutPoints,
  writeBlocks
} from '../model/cut-model.ts'
import { declaredInputs } from '../model/declared-inputs.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { profileBlocks } from '../runtime/onnx/profile-blocks.ts'

export interface ReadModelOptions {
  /** A shape for each input that has dynamic dimensions: { x: [1, 3, 48, 320] }. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

/**
 * Where to cut: into so many parts of even work where little crosses; at cut points by their index, as `cutPoints` has them; or at
 * tensors by name. Absent: at every cut point.
 */
export type Cuts =
  | { readonly parts: number }
  | { readonly at: readonly number[] }
  | { readonly tensors: readonly string[] }

/** A position in the order of layers where a model can be cut, and what crosses there. Bytes at the given shapes. */
export interface CutPointFacts {
  readonly index: number
  readonly bytes: number
  readonly tensors: readonly TensorSpec[]
}

/** A part of a model: complete ONNX, which any ONNX Runtime opens. */
export interface ModelBlock {
  readonly index: number
  /** The .onnx file. */
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly nodes: number
  readonly flops: number
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** What the parts of a model cost on this machine. */
export interface ModelCosts {
  readonly blocks: readonly {
    readonly index: number
    /** Median of one run, in seconds. */
    readonly seconds: number
    /** What counts against a device's memory. */
    readonly bytes: number
    readonly flops: number
  }[]
  /** Bytes of activation 0, the input, to the last, the output. */
  readonly activations: readonly number[]
}

export interface BlockSummary {
  readonly index: number
  readonly nodes: number
  readonly weightBytes: number
  readonly flops: number
}

/** An ONNX model that has been read and understood. */
export interface Model {
  readonly sha256: string
  readonly opset: number
  readonly nodes: number
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly string[]
  readonly cutPoints: readonly CutPointFacts[]
  /** What each part of a cut holds; nothing is written. */
  blocks(cuts?: Cuts): readonly BlockSummary[]
  /** The parts of a cut as bytes: the same model and cut give the same bytes on every machine. */
  cut(cuts: Cuts): Promise<readonly ModelBlock[]>
  /** Run the parts of a cut on made-up input and time each. @throws NoAnswerError where it does not run on that */
  profile(options: Cuts & { readonly runs?: number; readonly threads?: number }): Promise<ModelCosts>
}

/**
 * Read an ONNX model: where it can be cut, what crosses there, what its layers cost.
 * @param source the file, or its bytes, which are not written to; weights in other files need the file
 * @throws UserError `badModel` when it is no model that ONNX Runtime opens, `badShape` when an input needs a shape, `noSuchInput`
 */
export const readModel = async (source: string | Uint8Array, options: ReadModelOptions = {}): Promise<Model> => {
  const shapes = new Map(Object.entries(options.shapes ?? {}))
  const studied = await studiedFrom(source, shapes).catch(error => {
    if (!(error instanceof UserError) || error.code !== 'invalid') throw error
    throw new UserError(error.message, { code: 'badModel', cause: error })
  })
  return modelOf(studied)
}

const DEFAULT_RUNS = 12

const studiedFrom = async (source: string | Uint8Array, shapes: ReadonlyMap<string, readonly number[]>) => {
  if (typeof source === 'string') return studyModel(source, shapes, openModel)
  const folder = await mkdtemp(join(tmpdir(), 'tributary-model-'))
  try {
    const file = join(folder, 'model.onnx')
    await writeFile(file, source)
    return await studyModel(file, shapes, openModel)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const modelOf = (studied: StudiedModel): Model => {
  const { file } = studied.analysis
  const all = studied.cutPoints.map((_, i) => i)
  return {
    sha256: file.sha256,
    opset: file.opset,
    nodes: file.graph.node.length,
    inputs: declaredInputs(file).map(input => ({ ...input, shape: input.shape ?? [] })),
    outputs: studied.analysis.outputs,
    cutPoints: activationsAt(studied, all)
      .slice(1, -1)
      .map(({ bytes, tensors }, index) => ({ index, bytes, tensors })),
    blocks: (cuts = { at: all }) => {
      const chosen = chosenCuts(studied, cuts)
      return blockFacts(chosen.model, chosen.cuts).map(({ nodes, weightBytes, flops }, index) => ({
        ...{ index, nodes, weightBytes, flops }
      }))
    },
    cut: async cuts => {
      const chosen = chosenCuts(studied, cuts)
      const chunks: Uint8Array[][] = []
      const written = await writeBlocks(chosen.model, chosen.cuts, async (index, coming) => {
        chunks[index] = []
        for await (const chunk of coming) chunks[index].push(chunk.slice())
      })
      return written.map(({ sha256, nodes, flops, inputs, outputs }, index) => ({
        ...{ index, sha256, nodes, flops, inputs, outputs },
        bytes: new Uint8Array(Buffer.concat(chunks[index]!))
      }))
    },
    profile: async ({ runs = DEFAULT_RUNS, threads = 1, ...cuts }) => {
      const chosen = chosenCuts(studied, cuts)
      const { blocks, activations } = await profileBlocks(chosen.model, chosen.cuts, { runs, threads })
      return {
        blocks: blocks.map(({ index, seconds, loadedBytes, flops }) => ({ index, seconds, bytes: loadedBytes, flops })),
        activations
      }
    }
  }
}

/** More parts than there are good places: bad ones are better than none. */
const chosenCuts = (
  model: StudiedModel,
  cuts: Cuts
): { readonly model: StudiedModel; readonly cuts: readonly number[] } => {
  if ('tensors' in cuts) return cutsAtTensors(model, cuts.tensors)
  if ('parts' in cuts) {
    const { parts } = cuts
    if (!(Number.isSafeInteger(parts) && parts >= 1)) throw badCut(`parts: ${parts} is not a whole number from 1`)
    const enough = parts - 1 > model.cutPoints.length ? withAllCutPoints(model) : model
    return { model: enough, cuts: cutsForParts(enough, parts) }
  }
  const last = model.cutPoints.length - 1
  const wrong = cuts.at.find(index => !(Number.isSafeInteger(index) && index >= 0 && index <= last))
  if (wrong !== undefined) throw badCut(`at: ${wrong} is not a cut point: they are numbered 0 to ${last}`)
  return { model, cuts: [...new Set(cuts.at)].sort((a, b) => a - b) }
}

const badCut = (words: string): UserError => new UserError(words, { code: 'badCut' })
