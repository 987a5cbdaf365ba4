import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GraphProto, ValueInfoProto } from 'onnx-buf'
import { UserError } from '../../core/user-error.ts'
import type { GraphAnalysis } from '../graph-analysis.ts'
import { concreteInputs, type InputShapes, writtenShape } from '../input-shapes.ts'
import { leadingTo, travels } from '../leading-to.ts'
import type { OpenModel, PortInfo } from '../open-model.ts'
import { feedsFor, isElementType, type TensorFacts, tableOf } from '../tensor-facts.ts'
import { declaredDims, tensorType } from '../tensor-type.ts'
import { functionsWithoutClaims, withoutClaims } from '../without-claims.ts'
import { Prober } from './infer-types.ts'

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
