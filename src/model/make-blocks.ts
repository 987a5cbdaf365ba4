import { create } from '@bufbuild/protobuf'
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { enterBlocked } from './blocked-entry.ts'
import { isConstantNode } from './constant-tensor.ts'
import { isDequantizer } from './dequantized-weights.ts'
import { DATA_TYPE } from './element-bits.ts'
import { FunctionTable } from './function-table.ts'
import type { GraphAnalysis, Layer } from './graph-analysis.ts'
import { aliveAt } from './liveness.ts'
import { MergeAlike } from './merge-alike.ts'
import type { TensorFacts } from './tensor-facts.ts'
import { tensorType } from './tensor-type.ts'

/** A part of a model, itself a model. */
export interface Block {
  readonly model: ModelProto
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Constants that the runtime computes of others when it loads the block, and keeps. */
  readonly computed: readonly string[]
}

/**
 * Cut the model before each of these layers. A block reads what its layers read and do not make, and gives what later
 * layers or the model's user need of what they make; constants and weights are copied into every block that uses them,
 * and only there.
 *
 * @param positions ascending, each the first layer of a block but the first
 */
export const makeBlocks = (analysis: GraphAnalysis, facts: TensorFacts, positions: readonly number[]): Block[] => {
  const bounds = [0, ...positions, analysis.layers.length]
  const alive = aliveAt(analysis)
  const alike = new MergeAlike(analysis, facts)
  return bounds.slice(1).map((to, b) => {
    const from = bounds[b]!
    const isLast = to === analysis.layers.length
    return makeBlock(analysis, facts, analysis.layers.slice(from, to), new Set(alive[to]), isLast, b, alike)
  })
}

const makeBlock = (
  analysis: GraphAnalysis,
  facts: TensorFacts,
  layers: readonly Layer[],
  aliveAfter: ReadonlySet<string>,
  isLast: boolean,
  number: number,
  alike: MergeAlike
): Block => {
  const { file } = analysis
  const made = new Set(layers.flatMap(layer => layer.writes))
  const isConstant = (name: string): boolean => analysis.constantNames.has(name)
  const constantOutputs = isLast ? [...aliveAfter].filter(isConstant) : []
  const results = [...layers.flatMap(layer => layer.writes).filter(name => aliveAfter.has(name)), ...constantOutputs]
  const outputs = results.length > 0 ? results : [...aliveAfter] // a model without layers hands its inputs through
  const read = new Set([...layers.flatMap(layer => layer.reads), ...outputs.filter(name => !made.has(name))])
  const constants = constantsFor(analysis, read)
  const needed = new Set([...read, ...constants.flatMap(layer => layer.reads)])
  const inputs = [...read].filter(name => !made.has(name) && !isConstant(name))
  const images = inputs.filter(name => analysis.producer.has(name)) // what the user feeds is not changed
  const merged = alike.block(enterBlocked([...constants, ...layers], images, facts), new Set(outputs))
  const node = [...merged.nodes]
  const written = new Set(node.flatMap(n => n.output))
  const graph = create(GraphProtoSchema, {
    name: `${file.graph.name || 'graph'}/${number}`,
    node,
    initializer: [...file.graph.initializer.filter(t => needed.has(t.name)), ...merged.initializers],
    sparseInitializer: file.graph.sparseInitializer.filter(t => needed.has(t.values?.name ?? '')),
    input: [
      ...[...inputs, ...filledInputs(analysis, needed)].map(name => valueInfo(file.graph, facts, name)),
      ...merged.settable
    ],
    output: outputs.map(name => valueInfo(file.graph, facts, name)),
    valueInfo: claims(analysis, facts, name => written.has(name) && !outputs.includes(name)),
    quantizationAnnotation: file.graph.quantizationAnnotation.filter(
      a => needed.has(a.tensorName) || made.has(a.tensorName)
    )
  })
  const functions = new FunctionTable(file.model).reachedFrom(node)
  const { irVersion, opsetImport, metadataProps } = file.model
  const model = create(ModelProtoSchema, {
    irVersion,
    opsetImport,
    functions,
    metadataProps,
    producerName: 'tributary',
    graph
  })
  return { model, inputs, outputs, computed: computedAtLoad(constants, read, alike) }
}

/**
 * What the model says of these tensors. It was true of the shapes that the model was exported with; where these are not
 * fixed, what is true of every run.
 */
const claims = (
  { file: { graph }, inputs }: GraphAnalysis,
  facts: TensorFacts,
  isWanted: (name: string) => boolean
): ValueInfoProto[] => {
  const isFixed = inputs.every(name => {
    const shape = facts.of(name).shape ?? []
    return shape.length > 0 && shape.every(d => typeof d === 'number')
  })
  const told = graph.valueInfo.filter(({ name }) => isWanted(name))
  return isFixed ? told : told.map(info => valueInfo(graph, facts, info.name, info))
}

/**
 * Before version 4 the format wants every initializer among the inputs too. Later, one that is listed there can be set by
 * the user, and the runtime folds and merges it with nothing: it must stay one in the block, or the block would be merged
 * otherwise than the whole.
 */
const filledInputs = ({ file: { model, graph } }: GraphAnalysis, needed: ReadonlySet<string>): string[] => {
  const listed = new Set(graph.input.map(input => input.name))
  const names = graph.initializer.map(t => t.name).filter(name => needed.has(name))
  return model.irVersion >= 4n ? names.filter(name => listed.has(name)) : names
}

/** The constant nodes that lead to these tensors, in their order. */
export const constantsFor = ({ constants }: GraphAnalysis, wanted: ReadonlySet<string>): Layer[] => {
  const needed = new Set(wanted)
  const chosen: Layer[] = []
  for (const layer of constants.toReversed()) {
    if (!layer.writes.some(name => needed.has(name))) continue
    chosen.unshift(layer)
    for (const name of layer.reads) needed.add(name)
  }
  return chosen
}

/** Weights in few bits stay so where the runtime merges them with what reads them. */
const computedAtLoad = (constants: readonly Layer[], read: ReadonlySet<string>, alike: MergeAlike): string[] => {
  const fewBits = new Set<string>()
  return constants.flatMap(({ node, reads, writes }) => {
    const isMerged = isDequantizer(node) ? !alike.becomesFloats(node) : reads.some(name => fewBits.has(name))
    if (isMerged) for (const name of writes) fewBits.add(name)
    return isMerged || isConstantNode(node) ? [] : writes.filter(name => read.has(name))
  })
}

/**
 * Its type, and of its shape what is true of every run: more would make ONNX Runtime refuse data that it takes in the
 * whole model. Where that declares no tensor, as it does.
 */
const valueInfo = (
  graph: GraphProto,
  facts: TensorFacts,
  name: string,
  declaredAs = [...graph.input, ...graph.output].find(info => info.name === name && info.type !== undefined)
): ValueInfoProto => {
  const declared = declaredAs?.type
  const { type, shape } = facts.of(name)
  const own = declared?.value.case === 'tensorType' ? declared.value.value.elemType : undefined
  const elemType = type === undefined ? own : DATA_TYPE[type]
  const told = elemType === undefined ? declared : tensorType(elemType, shape)
  return create(ValueInfoProtoSchema, { name, ...(told === undefined ? {} : { type: told }) })
}
