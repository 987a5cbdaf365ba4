import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { checkedOptions } from '../core/checked-options.ts'
import type { TensorSpec } from '../core/tensor.ts'
import { type ErrorFacts, UserError } from '../core/user-error.ts'
import {
  activationsAt,
  blockFacts,
  cutsAtTensors,
  cutsForParts,
  type StudiedModel,
  withAllCutPoints
} from '../model/cut-model.ts'
import { declaredInputs } from '../model/declared-inputs.ts'
import { studyModel } from '../model/files/study-model.ts'
import { writeBlocks } from '../model/files/write-blocks.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { profileBlocks } from '../runtime/onnx/profile-blocks.ts'
import { refusedAs } from './refused-as.ts'

/** How a model is to be read. */
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
  /** Of its bytes, lower-case hex: same model, same cuts, same digest. */
  readonly sha256: string
  readonly nodes: number
  /** Floating-point operations of one run. */
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

/** A block of a model, in numbers. */
export interface BlockSummary {
  /** Its place, from 0. */
  readonly index: number
  readonly nodes: number
  /** Bytes of its weights. */
  readonly weightBytes: number
  /** Floating-point operations of one run. */
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
  /** What each part of a cut holds; nothing is written. @throws UserError `badCut` */
  blocks(cuts?: Cuts): readonly BlockSummary[]
  /** The parts of a cut as bytes: the same model and cut give the same bytes on every machine. @throws UserError `badCut` */
  cut(cuts: Cuts): Promise<readonly ModelBlock[]>
  /** Run the parts of a cut on made-up input and time each. @throws UserError `badCut`, `badOption` @throws NoAnswerError where it does not run on that */
  profile(options: Cuts & { readonly runs?: number; readonly threads?: number }): Promise<ModelCosts>
}

/**
 * Read an ONNX model: where it can be cut, what crosses there, what its layers cost.
 * @param source the file, or its bytes, which are not written to; weights in other files need the file
 * @throws UserError `badModel` (`file`, or `bytes`) when it is no model that ONNX Runtime opens, `badShape` (`input`) when an input needs
 *   a shape, `noSuchInput` (`input`), `badOption` (`option`)
 */
export const readModel = async (source: string | Uint8Array, options: ReadModelOptions = {}): Promise<Model> => {
  const { shapes } = checkedOptions(readSchema, options, 'readModel')
  if (!(source instanceof Uint8Array || (typeof source === 'string' && source !== '')))
    throw new UserError(`readModel: the model must be the path of a file or a Uint8Array, not ${typeof source}`, {
      code: 'badOption',
      facts: { option: 'source' }
    })
  const facts = typeof source === 'string' ? { file: source } : { bytes: source.byteLength }
  return modelOf(
    await refusedAs({ code: 'badModel', facts }, () => studiedFrom(source, new Map(Object.entries(shapes))))
  )
}

/** What a model is called that came as bytes. */
const NO_FILE = 'the model'
const DEFAULT_RUNS = 12
const dims = z.array(z.int().min(0))
const readSchema = z.strictObject({ shapes: z.record(z.string(), dims).default({}) })
const cutFields = {
  parts: z.int().min(1).max(100_000).optional(),
  at: z.array(z.int().min(0)).optional(),
  tensors: z.array(z.string()).optional()
}
const cutSchema = z.strictObject(cutFields)
const profileSchema = z.strictObject({
  ...cutFields,
  runs: z.int().min(1).max(100_000).default(DEFAULT_RUNS),
  threads: z.int().min(1).max(256).default(1)
})

const studiedFrom = async (source: string | Uint8Array, shapes: ReadonlyMap<string, readonly number[]>) => {
  if (typeof source === 'string') return studyModel(source, shapes, openModel)
  const folder = await mkdtemp(join(tmpdir(), 'tributary-model-'))
  const file = join(folder, 'model.onnx')
  try {
    await writeFile(file, source)
    const studied = await studyModel(file, shapes, openModel)
    const { analysis } = studied
    return { ...studied, analysis: { ...analysis, file: { ...analysis.file, path: NO_FILE } } }
  } catch (error) {
    // Where it lay for a moment says nothing to whoever has the bytes.
    throw error instanceof UserError
      ? new UserError(error.message.replaceAll(file, NO_FILE), { ...error, cause: error.cause })
      : error
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
      const chosen = chosenCuts(studied, checkedCuts(cuts, 'blocks'))
      return blockFacts(chosen.model, chosen.cuts).map(({ nodes, weightBytes, flops }, index) => ({
        ...{ index, nodes, weightBytes, flops }
      }))
    },
    cut: async cuts => {
      const chosen = chosenCuts(studied, checkedCuts(cuts, 'cut'))
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
    profile: async options => {
      const { runs, threads, ...cuts } = checkedOptions(profileSchema, options, 'profile')
      const chosen = chosenCuts(studied, checkedCuts(cuts, 'profile'))
      const { blocks, activations } = await profileBlocks(chosen.model, chosen.cuts, { runs, threads })
      return {
        blocks: blocks.map(({ index, seconds, loadedBytes, flops }) => ({ index, seconds, bytes: loadedBytes, flops })),
        activations
      }
    }
  }
}

/** One way to cut. @throws UserError `badCut` that names what is wrong */
const checkedCuts = (given: object, what: string): Cuts => {
  const ways = Object.entries(checkedOptions(cutSchema, given, what, 'badCut')).filter(
    ([, value]) => value !== undefined
  )
  if (ways.length === 1) return Object.fromEntries(ways) as Cuts
  const both = ways.map(([way]) => way).join(' and ')
  throw badCut(`${what}: give one of parts, at and tensors${both === '' ? '' : `, not ${both}`}`, { option: both })
}

/** More parts than there are good places: bad ones are better than none. */
const chosenCuts = (
  model: StudiedModel,
  cuts: Cuts
): { readonly model: StudiedModel; readonly cuts: readonly number[] } => {
  if ('tensors' in cuts) return cutsAtTensors(model, cuts.tensors)
  if ('parts' in cuts) {
    const { parts } = cuts
    const enough = parts - 1 > model.cutPoints.length ? withAllCutPoints(model) : model
    return { model: enough, cuts: cutsForParts(enough, parts) }
  }
  const last = model.cutPoints.length - 1
  const wrong = cuts.at.find(index => index > last)
  if (wrong !== undefined)
    throw badCut(`at: ${wrong} is not a cut point: they are numbered 0 to ${last}`, { index: wrong, last })
  return { model, cuts: [...new Set(cuts.at)].sort((a, b) => a - b) }
}

const badCut = (words: string, facts: ErrorFacts): UserError => new UserError(words, { code: 'badCut', facts })
