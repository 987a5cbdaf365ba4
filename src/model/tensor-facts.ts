import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GraphProto, ValueInfoProto } from 'onnx-buf'
import { createRng } from '../core/rng.ts'
import { type Dimension, ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../core/tensor.ts'
import { UserError } from '../core/user-error.ts'
import { constantTensor } from './constant-tensor.ts'
import { ELEMENT_TYPE_OF } from './element-bits.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import { Prober } from './infer-types.ts'
import { concreteInputs, type InputShapes, writtenShape } from './input-shapes.ts'
import { leadingTo, travels } from './leading-to.ts'
import { madeUpTensor } from './made-up-tensor.ts'
import type { OpenModel, PortInfo } from './open-model.ts'
import { declaredDims, tensorType } from './tensor-type.ts'
import { functionsWithoutClaims, withoutClaims } from './without-claims.ts'

export type { InputShapes } from './input-shapes.ts'

/** What is known of one tensor. */
export interface TensorFact {
  /** Undefined when it may not cross a cut: a sequence, an optional, or a type that JavaScript cannot hold. */
  readonly type: ElementType | undefined
  /** The type in words, also where it may not cross. */
  readonly kind: string
  /**
   * What is true of every run, dynamic dimensions by name: declared for inputs, which are held to it, else inferred from
   * the inputs, whatever the model claims. Undefined when the rank is not known.
   */
  readonly shape: readonly Dimension[] | undefined
  /** At the given input shapes; undefined when it could not be found out. */
  readonly dims: readonly number[] | undefined
}

export interface TensorFacts {
  readonly of: (name: string) => TensorFact
  /** Bytes at the given shapes; 0 for what is not known. */
  readonly bytes: (name: string) => number
  /** The shapes that were used for the inputs. */
  readonly inputShapes: InputShapes
}

/**
 * Type and shape of every tensor. ONNX Runtime infers them: the model is opened once as it is, without its weights, with
 * every tensor as an output; where dimensions are dynamic, once more at the given input shapes; and what stays unknown
 * even then is seen in a run on made-up input. A run that fails leaves those sizes unknown: the model can still be cut.
 *
 * @throws UserError when the model does not open (an unknown operator, say), or a shape is missing or does not fit
 */
export const findTensorFacts = async (
  analysis: GraphAnalysis,
  shapes: InputShapes,
  openModel: OpenModel
): Promise<TensorFacts> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-probe-'))
  const { file } = analysis
  const prober = new Prober({ ...file, model: functionsWithoutClaims(file.model) }, folder, openModel)
  const written = [...analysis.constants, ...analysis.layers].flatMap(layer => layer.writes)
  try {
    const { graph, names, asIs } = await inferred(prober, file.graph, written)
    const fed = new Set(graph.input.map(({ name }) => name))
    const inputShapes = concreteInputs({ file, inputs: analysis.inputs.filter(name => fed.has(name)) }, shapes)
    const fixed = fixedInputs(graph, inputShapes)
    const concrete = graph.input.some(isOpenInput) ? await atShapes(prober, fixed, [...asIs.keys()], shapes) : asIs
    const made = new Set(names)
    const unseen = [...concrete.values()].filter(info => made.has(info.name) && isOpen(info)).map(info => info.name)
    const seen = unseen.length === 0 ? NOTHING : await dimsOfRun(prober, fixed, inputShapes, unseen)
    return tableOf(analysis, asIs, concrete, seen, inputShapes)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const atShapes = async (
  prober: Prober,
  fixed: GraphProto,
  names: readonly string[],
  shapes: InputShapes
): Promise<ReadonlyMap<string, PortInfo>> => {
  try {
    return await prober.infer(fixed, names)
  } catch (error) {
    const said = [...shapes].map(([name, dims]) => `shape ${name}=${writtenShape(dims)}`).join(' ')
    throw new UserError(
      `${said === '' ? 'with a batch of one' : said}: ${(error as Error).message}; try another shape`,
      {
        code: 'badShape',
        facts: { inputs: [...shapes.keys()] }
      }
    )
  }
}

/** The graph with its inputs declared at these shapes. */
const fixedInputs = (graph: GraphProto, shapes: InputShapes): GraphProto => ({
  ...graph,
  input: graph.input.map(input => {
    const dims = shapes.get(input.name)
    return dims === undefined || input.type?.value.case !== 'tensorType'
      ? input
      : { ...input, type: tensorType(input.type.value.value.elemType, dims) }
  })
})

/** Outputs of one run that are in memory together. */
const RUN_OUTPUTS = 128

/** Inference left it open, or it is a scalar: the runtime tells the two alike. */
const isOpen = ({ type, shape }: PortInfo): boolean =>
  isElementType(type) && (shape.length === 0 || shape.some(d => typeof d !== 'number'))

/**
 * What the runtime infers, of as much of the graph as its JavaScript API opens: it refuses a model with an output, or an
 * unread input, of a type that it lacks. Outputs that declare nothing may be tensors, or of such a type. A model without
 * any tensor output stays whole.
 */
const inferred = async (prober: Prober, whole: GraphProto, written: readonly string[]) => {
  const part = async (isWanted: (output: ValueInfoProto) => boolean) => {
    const graph = withoutClaims(leadingTo(whole, whole.output.some(isWanted) ? isWanted : () => true))
    const made = new Set(graph.node.flatMap(node => node.output))
    const names = written.filter(name => made.has(name))
    return { graph, names, asIs: await prober.infer(graph, names) }
  }
  const mayTravel = (output: ValueInfoProto): boolean => output.type?.value.case === undefined || travels(output)
  try {
    return await part(mayTravel)
  } catch (error) {
    const isCertain = whole.output.every(output => !mayTravel(output) || travels(output))
    if (isCertain || !whole.output.some(travels)) throw error
    return part(travels).catch(() => {
      throw error
    })
  }
}

const isOpenInput = ({ type }: ValueInfoProto): boolean =>
  type === undefined || declaredDims(type)?.every(d => typeof d === 'number') !== true

const NOTHING: ReadonlyMap<string, readonly number[]> = new Map()

/** Dimensions that tensors have in a run on made-up input. */
const dimsOfRun = async (
  prober: Prober,
  graph: GraphProto,
  inputShapes: InputShapes,
  rest: readonly string[]
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const seen = new Map<string, readonly number[]>()
  try {
    const opened = await prober.open(graph, rest)
    try {
      const feeds = feedsFor(opened.inputs, inputShapes)
      for (let i = 0; feeds !== undefined && i < rest.length; i += RUN_OUTPUTS) {
        const tensors = await opened.run(feeds, rest.slice(i, i + RUN_OUTPUTS))
        for (const { name, dims } of tensors) seen.set(name, dims)
      }
    } finally {
      await opened.close()
    }
  } catch {
    // Made-up input is not valid for every model, and a model over 2 GiB is not opened whole: sizes stay unknown.
  }
  return seen
}

/** Seeded input at these shapes; undefined when some input is no tensor. */
export const feedsFor = (inputs: readonly PortInfo[], shapes: InputShapes, seed = 'probe'): Tensor[] | undefined => {
  const rng = createRng(seed)
  const feeds = inputs.map(({ name, type }) => {
    const dims = shapes.get(name)
    return dims === undefined || !isElementType(type) ? undefined : madeUpTensor(name, type, dims, rng.fork(name))
  })
  return feeds.every(feed => feed !== undefined) ? feeds : undefined
}

const isElementType = (text: string): text is ElementType => Object.hasOwn(ELEMENT_TYPES, text)

const tableOf = (
  { file }: GraphAnalysis,
  asIs: ReadonlyMap<string, PortInfo>,
  concrete: ReadonlyMap<string, PortInfo>,
  seen: ReadonlyMap<string, readonly number[]>,
  inputShapes: InputShapes
): TensorFacts => {
  const held = file.graph.node.flatMap(node => constantTensor(node) ?? [])
  const weights = new Map([...file.graph.initializer, ...held].map(t => [t.name, t] as const))
  const inputs = new Map(file.graph.input.map(input => [input.name, input]))
  const claimed = claimedDims(file.graph)
  const of = (name: string): TensorFact => {
    const weight = weights.get(name)
    if (weight !== undefined) {
      const dims = weight.dims.map(Number)
      const type = ELEMENT_TYPE_OF.get(weight.dataType)
      return { type, kind: type ?? 'other', shape: dims, dims }
    }
    const input = inputs.get(name)
    if (input?.type?.value.case === 'tensorType') {
      const type = ELEMENT_TYPE_OF.get(input.type.value.value.elemType)
      return { type, kind: type ?? 'other', shape: declaredDims(input.type), dims: inputShapes.get(name) }
    }
    const info = asIs.get(name)
    const type = info !== undefined && isElementType(info.type) ? info.type : undefined
    const shape = info === undefined || info.shape.length === 0 ? undefined : info.shape
    const kind = info?.isTensor === false || input !== undefined ? 'not a tensor' : info?.type || 'unknown'
    return { type, kind, shape, dims: seen.get(name) ?? numbers(concrete.get(name)?.shape) ?? claimed.get(name) }
  }
  const bytes = (name: string): number => {
    const { type, dims } = of(name)
    // A string takes at least its length; other types count as if they were floats.
    return dims === undefined ? 0 : elementCount(dims) * (type === undefined ? 4 : ELEMENT_TYPES[type] || 4)
  }
  return { of, bytes, inputShapes }
}

/** What a claim may say without being nonsense. */
const MAX_CLAIM = 2 ** 31

/** For sizes that nothing else tells, what the model says of them. */
const claimedDims = (graph: GraphProto): ReadonlyMap<string, readonly number[]> =>
  new Map(
    [...graph.output, ...graph.valueInfo].flatMap(({ name, type }) => {
      const dims = type === undefined ? undefined : numbers(declaredDims(type))
      return dims === undefined || elementCount(dims) > MAX_CLAIM ? [] : [[name, dims] as const]
    })
  )

const numbers = (shape: readonly Dimension[] | undefined): readonly number[] | undefined =>
  shape !== undefined && shape.length > 0 && shape.every(d => typeof d === 'number') ? shape : undefined
