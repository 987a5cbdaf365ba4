import { create } from '@bufbuild/protobuf'
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType as T,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { openDimension } from '../core/open-dimension.ts'
import type { Dimension } from '../core/tensor.ts'
import { bodiesOf } from './bodies-of.ts'
import { constantTensor } from './constant-tensor.ts'
import { DATA_TYPE } from './element-bits.ts'
import type { Block } from './make-blocks.ts'
import { messageWith } from './message-with.ts'
import { mixesData, type NodeFacts } from './mixes-data.ts'
import { NamePool } from './name-pool.ts'
import { isDefaultDomain } from './onnx-file.ts'
import type { TensorFacts } from './tensor-facts.ts'
import { declaredDims, tensorType } from './tensor-type.ts'
import { withoutClaims } from './without-claims.ts'

const MICROSOFT = 'com.microsoft'

/**
 * Operators of which nobody can say that a datum comes out the same beside others, whatever a trial shows: what they make depends
 * on all data at once, on chance, or has a size that the data decide.
 */
const TOGETHER_OTHERWISE = new Set([
  ...['DynamicQuantizeLinear', 'DynamicQuantizeMatMul', 'DynamicQuantizeLSTM'],
  ...['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli'],
  ...['NonZero', 'NonMaxSuppression', 'Unique', 'Compress', 'StringSplit']
])

/** The same of Microsoft's own operators. */
const TOGETHER_OTHERWISE_AT_MICROSOFT = new Set([
  ...['DynamicQuantizeMatMul', 'DynamicQuantizeLSTM', 'Unique', 'RemovePadding', 'Sampling']
])

/** Operators that ONNX Runtime computes when it loads a block whose shapes are fixed, and in every run where they are open. */
const OF_SHAPES = new Set(['Shape', 'Size'])

/**
 * The block, to be fed several data at once: the first dimension of all that goes in and comes out is open, and constants that
 * hold it fixed (the shape of a Reshape) follow the data. With one datum it computes what the block does.
 * That it computes several as it does each alone is not said: it is to be tried.
 * @returns the block's own model where its first dimensions are open already; undefined where it is not worth a trial
 */
export const batchedBlock = (block: Block, facts: TensorFacts): ModelProto | undefined => {
  const { model, inputs, outputs } = block
  const graph = model.graph!
  const nodes = [...graph.node, ...model.functions.flatMap(({ node }) => node)]
  if (inputs.length === 0 || nodes.some(isOtherwise) || doesMix(block, facts)) return undefined
  const ends = [...inputs, ...outputs].map(name => facts.of(name))
  if (ends.some(({ type, dims }) => type === undefined || type === 'string' || !((dims?.[0] ?? 0) > 0)))
    return undefined
  const isFixed = inputs.some(name => typeof firstOf(graph.input, name) === 'number')
  if (!isFixed) return model
  if (nodes.some(node => OF_SHAPES.has(node.opType) && isDefaultDomain(node.domain))) return undefined
  const { node, added, reshaped } = withOpenShapes(block, facts)
  const told = withoutClaims(graph).valueInfo.filter(({ name }) => !reshaped.has(name))
  const opened = messageWith(GraphProtoSchema, graph, {
    node,
    initializer: [...graph.initializer, ...added],
    input: graph.input.map(info => (inputs.includes(info.name) ? open(info) : info)),
    output: graph.output.map(open),
    valueInfo: [...told, ...reshaped.values()]
  })
  return messageWith(ModelProtoSchema, model, { graph: opened })
}

const isOtherwise = (node: NodeProto): boolean => {
  const { opType, domain } = node
  if (bodiesOf(node).length > 0) return true
  if (domain === MICROSOFT) return TOGETHER_OTHERWISE_AT_MICROSOFT.has(opType)
  return isDefaultDomain(domain) && TOGETHER_OTHERWISE.has(opType)
}

/** Whether one of its nodes makes one of what lies along the first dimension of something that comes of the data. */
const doesMix = (block: Block, facts: TensorFacts): boolean => {
  const { graph, functions } = block.model
  const constants = constantsOf(graph!)
  const ofData = ofDataIn(block)
  const known: NodeFacts = {
    rankOf: name => (facts.of(name).shape ?? facts.of(name).dims)?.length,
    integersOf: name => integersOf(constants.get(name))?.map(Number)
  }
  return (
    graph!.node.some(node => node.input.some(name => ofData.has(name)) && mixesData(node, known)) ||
    functions.some(({ node }) => node.some(inside => mixesData(inside, NOTHING_KNOWN)))
  )
}

/** A function's tensors have other names for each call. */
const NOTHING_KNOWN: NodeFacts = { rankOf: () => undefined, integersOf: () => undefined }

const constantsOf = ({ initializer, node }: GraphProto): ReadonlyMap<string, TensorProto> => {
  const held = [...initializer, ...node.flatMap(node => constantTensor(node) ?? [])]
  return new Map(held.map(tensor => [tensor.name, tensor]))
}

/** What goes in, and all that is made of it. */
const ofDataIn = ({ model, inputs }: Block): ReadonlySet<string> => {
  const names = new Set(inputs)
  for (const { input, output } of model.graph!.node)
    if (input.some(name => names.has(name))) for (const name of output) names.add(name)
  return names
}

const firstOf = (ports: readonly ValueInfoProto[], name: string): Dimension | undefined => {
  const type = ports.find(port => port.name === name)?.type
  return type === undefined ? undefined : declaredDims(type)?.[0]
}

/** What has as many rows for each datum as another may be fed beside it: so its dimension is the same. */
const open = (info: ValueInfoProto): ValueInfoProto => {
  const { type } = info
  const dims = type === undefined ? undefined : declaredDims(type)
  if (type?.value.case !== 'tensorType' || dims === undefined || typeof dims[0] !== 'number') return info
  return { ...info, type: openType(type.value.value.elemType, dims) }
}

const openType = (elemType: number, [first, ...rest]: readonly Dimension[]) =>
  tensorType(elemType, [openDimension(first), ...rest])

interface OpenShapes {
  readonly node: NodeProto[]
  /** Shapes in the place of others. */
  readonly added: readonly TensorProto[]
  /**
   * What comes out with such a shape and is of the data. Inferred, its first dimension would be another than theirs, and the runtime
   * would not merge an Add with the normalisation behind it.
   */
  readonly reshaped: ReadonlyMap<string, ValueInfoProto>
}

const withOpenShapes = (block: Block, facts: TensorFacts): OpenShapes => {
  const graph = block.model.graph!
  const pool = NamePool.of(graph)
  const constants = constantsOf(graph)
  const ofData = ofDataIn(block)
  const added: TensorProto[] = []
  const reshaped = new Map<string, ValueInfoProto>()
  const node = graph.node.map(given => {
    if (given.opType !== 'Reshape' || !isDefaultDomain(given.domain)) return given
    const shape = integersOf(constants.get(given.input[1] ?? ''))
    const opened = shape === undefined ? undefined : openShape(given, shape, facts)
    if (opened === undefined) return given
    const [output] = given.output as [string]
    const { type, shape: made } = facts.of(output)
    if (ofData.has(output) && type !== undefined && made?.[0] === Number(shape![0]))
      reshaped.set(output, create(ValueInfoProtoSchema, { name: output, type: openType(DATA_TYPE[type], made) }))
    const name = pool.fresh(`${output}/shape`)
    added.push(create(TensorProtoSchema, { name, dataType: T.INT64, dims: [BigInt(opened.length)], int64Data: opened }))
    return messageWith(NodeProtoSchema, given, { input: [given.input[0]!, name] })
  })
  return { node, added, reshaped }
}

/** The same shape for one datum, with a first dimension that follows from the others; undefined where it does already. */
const openShape = (
  { input, output, attribute }: NodeProto,
  shape: readonly bigint[],
  facts: TensorFacts
): bigint[] | undefined => {
  const [first, ...rest] = shape
  if (first === undefined || first <= 0n) return undefined
  if (rest.every(dim => dim !== -1n)) return [-1n, ...rest]
  const takesZero = !attribute.some(({ name, i }) => name === 'allowzero' && i === 1n)
  if (takesZero && facts.of(input[0]!).dims?.[0] === Number(first)) return [0n, ...rest]
  const made = facts.of(output[0]!).shape
  if (made?.every(dim => typeof dim === 'number' && dim > 0) !== true) return undefined
  return [-1n, ...(made as readonly number[]).slice(1).map(BigInt)]
}

const integersOf = (tensor: TensorProto | undefined): readonly bigint[] | undefined => {
  if (tensor === undefined || tensor.externalData.length > 0) return undefined
  const { dataType, rawData, int64Data, int32Data } = tensor
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength)
  if (dataType === T.INT64)
    return rawData.length === 0
      ? int64Data
      : Array.from({ length: view.byteLength / 8 }, (_, i) => view.getBigInt64(8 * i, true))
  if (dataType !== T.INT32) return undefined
  return rawData.length === 0
    ? int32Data.map(BigInt)
    : Array.from({ length: view.byteLength / 4 }, (_, i) => BigInt(view.getInt32(4 * i, true)))
}
