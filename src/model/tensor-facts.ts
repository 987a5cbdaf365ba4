import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { create } from '@bufbuild/protobuf'
import {
  type GraphProto,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { createRng } from '../core/rng.ts'
import { ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../core/tensor.ts'
import { UserError } from '../core/user-error.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import { madeUpTensor } from './made-up-tensor.ts'
import { onnxChunks } from './onnx-chunks.ts'
import type { OpenedModel, OpenModel, PortInfo } from './open-model.ts'

/** What is known of one tensor. */
export interface TensorFact {
  /** Undefined when it may not cross a cut: a sequence, an optional, or a type that JavaScript cannot hold. */
  readonly type: ElementType | undefined
  /** As the model declares it, dynamic dimensions by name; undefined when the rank is not known. */
  readonly shape: readonly (number | string)[] | undefined
  /** At the given input shapes; undefined when it could not be found out. */
  readonly dims: readonly number[] | undefined
}

/** A shape for each input with dynamic dimensions. */
export type InputShapes = ReadonlyMap<string, readonly number[]>

export interface TensorFacts {
  readonly of: (name: string) => TensorFact
  /** Bytes at the given shapes; 0 for what is not known. */
  readonly bytes: (name: string) => number
  /** The shapes that were used for the inputs. */
  readonly inputShapes: InputShapes
}

/**
 * Type and shape of every tensor. ONNX Runtime infers them: the model is opened once as it is, with every tensor as an
 * output; where dimensions are dynamic, once more at the given input shapes; and what stays unknown even then is seen
 * in a run on made-up input. A run that fails leaves those sizes unknown: the model can still be cut.
 *
 * @throws UserError when the model does not open (an unknown operator, say), or a shape is missing or does not fit
 */
export const findTensorFacts = async (
  analysis: GraphAnalysis,
  shapes: InputShapes,
  openModel: OpenModel
): Promise<TensorFacts> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-probe-'))
  try {
    const asIs = await inferTypes(analysis, analysis.file.graph, join(folder, 'as-is.onnx'), openModel)
    const inputShapes = concreteInputs(analysis, asIs.inputs, shapes)
    const fixed = fixedInputs(analysis.file.graph, inputShapes)
    const isDynamic = asIs.outputs.some(info => info.shape.some(d => typeof d !== 'number'))
    const concrete = isDynamic ? await inferTypes(analysis, fixed, join(folder, 'fixed.onnx'), openModel) : asIs
    const seen = await runForRest(analysis, fixed, inputShapes, concrete, join(folder, 'run.onnx'), openModel)
    return tableOf(analysis, asIs, concrete, seen, inputShapes)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Inferred {
  readonly inputs: readonly PortInfo[]
  readonly outputs: readonly PortInfo[]
}

const layerTensors = (analysis: GraphAnalysis): string[] => analysis.layers.flatMap(layer => layer.writes)

/** Weights may be constant nodes, or computed from some: their shapes count in FLOPs. */
const constantTensors = (analysis: GraphAnalysis): string[] => analysis.constants.flatMap(layer => layer.writes)

const inferTypes = async (
  analysis: GraphAnalysis,
  graph: GraphProto,
  path: string,
  openModel: OpenModel
): Promise<Inferred> => {
  const opened = await openWith(
    analysis,
    graph,
    [...layerTensors(analysis), ...constantTensors(analysis)],
    path,
    openModel
  )
  const { inputs, outputs } = opened
  await opened.close()
  await rm(path, { force: true })
  return { inputs, outputs }
}

/** The model with these tensors as outputs besides its own. A name is enough: the runtime infers the rest. */
const openWith = async (
  { file, outputs }: GraphAnalysis,
  graph: GraphProto,
  names: readonly string[],
  path: string,
  openModel: OpenModel
): Promise<OpenedModel> => {
  const own = new Set(outputs)
  const more = names.filter(name => !own.has(name)).map(name => create(ValueInfoProtoSchema, { name }))
  const extended = { ...file.model, graph: { ...graph, output: [...graph.output, ...more] } }
  await pipeline(Readable.from(onnxChunks(extended, file.path)), createWriteStream(path))
  try {
    return await openModel(path, { optimise: false })
  } catch (error) {
    throw new UserError(
      `${file.path}: ONNX Runtime does not open it: ${(error as Error).message.replaceAll(path, file.path)}`
    )
  }
}

/** Every dimension a number: declared, or given. @throws UserError that shows the flag to add */
const concreteInputs = (
  analysis: GraphAnalysis,
  infos: readonly PortInfo[],
  shapes: InputShapes
): Map<string, readonly number[]> => {
  const { path } = analysis.file
  const byName = new Map(infos.map(info => [info.name, info]))
  for (const name of shapes.keys()) {
    if (!byName.has(name))
      throw new UserError(
        `--shape ${name}: ${path} has no input "${name}"; its inputs: ${[...byName.keys()].join(', ')}`
      )
  }
  return new Map(analysis.inputs.map(name => [name, concreteInput(path, byName.get(name)!, shapes.get(name))] as const))
}

const concreteInput = (
  path: string,
  { name, shape }: PortInfo,
  given: readonly number[] | undefined
): readonly number[] => {
  const declared = shape.map(d => (typeof d === 'number' && d >= 0 ? d : '?'))
  if (given === undefined) {
    if (declared.every(d => typeof d === 'number')) return declared as number[]
    const [first, ...rest] = declared
    if (first === '?' && rest.every(d => typeof d === 'number')) return [1, ...(rest as number[])] // a batch of one
    const example = declared.map((d, i) => (d === '?' ? (i === 0 ? 1 : 224) : d)).join('x')
    throw new UserError(
      `${path}: input "${name}" has the dynamic shape [${shape.join(', ')}]; fix it, for example with --shape ${name}=${example}`
    )
  }
  const fits =
    (shape.length === 0 || given.length === shape.length) && declared.every((d, i) => d === '?' || d === given[i])
  if (fits) return given
  throw new UserError(`--shape ${name}=${given.join('x')} does not fit: ${path} declares [${shape.join(', ')}]`)
}

/** The graph with its inputs declared at these shapes. */
const fixedInputs = (graph: GraphProto, shapes: InputShapes): GraphProto => ({
  ...graph,
  valueInfo: [],
  input: graph.input.map(input => {
    const dims = shapes.get(input.name)
    return dims === undefined || input.type?.value.case !== 'tensorType'
      ? input
      : withShape(input, input.type.value.value.elemType, dims)
  })
})

const withShape = (info: ValueInfoProto, elemType: number, dims: readonly (number | string)[]): ValueInfoProto => ({
  ...info,
  type: tensorType(elemType, dims)
})

/** @param dims undefined where not even the rank is known */
export const tensorType = (elemType: number, dims: readonly (number | string)[] | undefined) =>
  create(TypeProtoSchema, {
    value: {
      case: 'tensorType',
      value: create(TypeProto_TensorSchema, {
        elemType,
        ...(dims === undefined
          ? {}
          : {
              shape: create(TensorShapeProtoSchema, {
                dim: dims.map(d =>
                  create(TensorShapeProto_DimensionSchema, {
                    value:
                      typeof d === 'number' ? { case: 'dimValue', value: BigInt(d) } : { case: 'dimParam', value: d }
                  })
                )
              })
            })
      })
    }
  })

/** Dimensions of the tensors that inference left open, seen in a run. */
const runForRest = async (
  analysis: GraphAnalysis,
  graph: GraphProto,
  inputShapes: InputShapes,
  inferred: Inferred,
  path: string,
  openModel: OpenModel
): Promise<ReadonlyMap<string, readonly number[]>> => {
  const isOpen = ({ isTensor, shape }: PortInfo): boolean =>
    isTensor && (shape.length === 0 || shape.some(d => typeof d !== 'number'))
  const constant = new Set(constantTensors(analysis))
  const rest = inferred.outputs.filter(info => isOpen(info) && !constant.has(info.name)).map(info => info.name)
  const feeds = feedsFor(inferred.inputs, inputShapes)
  if (rest.length === 0 || feeds === undefined) return new Map()
  const opened = await openWith(analysis, graph, rest, path, openModel)
  try {
    return new Map((await opened.run(feeds)).map(tensor => [tensor.name, tensor.dims]))
  } catch {
    return new Map() // made-up input is not valid for every model
  } finally {
    await opened.close()
  }
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
  analysis: GraphAnalysis,
  asIs: Inferred,
  concrete: Inferred,
  seen: ReadonlyMap<string, readonly number[]>,
  inputShapes: InputShapes
): TensorFacts => {
  const declared = new Map([...asIs.inputs, ...asIs.outputs].map(info => [info.name, info]))
  const found = new Map(concrete.outputs.map(info => [info.name, info]))
  for (const tensor of analysis.file.graph.initializer)
    found.set(tensor.name, { name: tensor.name, isTensor: true, type: '', shape: tensor.dims.map(Number) })
  const of = (name: string): TensorFact => {
    const info = declared.get(name)
    const shape = found.get(name)?.shape
    const inferred =
      shape !== undefined && shape.length > 0 && shape.every(d => typeof d === 'number') ? shape : undefined
    return {
      type: info?.isTensor === true && isElementType(info.type) ? info.type : undefined,
      shape: info === undefined || info.shape.length === 0 ? undefined : info.shape,
      dims: inputShapes.get(name) ?? seen.get(name) ?? inferred
    }
  }
  const bytes = (name: string): number => {
    const { type, dims } = of(name)
    return dims === undefined ? 0 : elementCount(dims) * (type === undefined ? 4 : ELEMENT_TYPES[type])
  }
  return { of, bytes, inputShapes }
}
