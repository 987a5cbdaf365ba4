import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { bodiesOf } from '../bodies-of.ts'
import { analyseGraph, type GraphAnalysis, label } from '../graph-analysis.ts'
import { constantsFor } from '../make-blocks.ts'
import { messageWith } from '../message-with.ts'
import { NamePool } from '../name-pool.ts'
import { isDefaultDomain, type OnnxFile } from '../onnx-file.ts'
import type { OpenModel } from '../open-model.ts'
import { Prober } from './infer-types.ts'

/**
 * The model with the branch that is taken in place of every If whose condition depends on no input, so that it can be cut
 * inside of it: what ONNX Runtime does when it loads the model. Conditions that depend on the shapes of inputs stay, since
 * a block runs at other shapes too.
 */
export const inlineIfs = async (file: OnnxFile, openModel: OpenModel): Promise<OnnxFile> => {
  let done = file
  // An If inside of a branch that was taken is one more round.
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const taken = await takenBranches(done, openModel)
    if (taken.size === 0) return done
    done = inlined(done, taken)
  }
  return done
}

const MAX_DEPTH = 8

const isIf = ({ opType, domain }: NodeProto): boolean => opType === 'If' && isDefaultDomain(domain)

/** Of every If that is decided: its branch. */
const takenBranches = async (file: OnnxFile, openModel: OpenModel): Promise<ReadonlyMap<NodeProto, GraphProto>> => {
  if (!file.graph.node.some(isIf)) return new Map()
  const analysis = analyseGraph(file)
  const decided = [...analysis.layers, ...analysis.constants]
    .map(layer => layer.node)
    .filter(node => isIf(node) && analysis.constantNames.has(node.input[0] ?? ''))
  const values = await valuesOf(analysis, new Set(decided.map(node => node.input[0]!)), openModel)
  const branches = decided.flatMap(node => {
    const value = values.get(node.input[0]!)
    const branch = node.attribute.find(a => a.name === (value === true ? 'then_branch' : 'else_branch'))?.g
    const isPlain = branch !== undefined && branch.sparseInitializer.length === 0
    return value === undefined || !isPlain ? [] : [[node, branch] as const]
  })
  return new Map(branches)
}

/** Conditions that depend on no input, as the runtime computes them. What it cannot say stays undecided. */
const valuesOf = async (
  analysis: GraphAnalysis,
  names: ReadonlySet<string>,
  openModel: OpenModel
): Promise<ReadonlyMap<string, boolean>> => {
  const { file } = analysis
  const settable = new Set(file.graph.input.map(input => input.name))
  const layers = constantsFor(analysis, names)
  const read = new Set([...names, ...layers.flatMap(layer => layer.reads)])
  if (names.size === 0 || [...read].some(name => settable.has(name))) return new Map()
  const folder = await mkdtemp(join(tmpdir(), 'tributary-conditions-'))
  try {
    const graph = create(GraphProtoSchema, {
      name: 'conditions',
      node: layers.map(layer => layer.node),
      initializer: file.graph.initializer.filter(tensor => read.has(tensor.name)),
      sparseInitializer: file.graph.sparseInitializer.filter(tensor => read.has(tensor.values?.name ?? '')),
      output: [...names].map(name => create(ValueInfoProtoSchema, { name }))
    })
    const opened = await new Prober(file, folder, openModel).open(graph, [])
    const tensors = await opened.run([]).finally(() => opened.close())
    return new Map(tensors.map(({ name, data }) => [name, data[0] === 1]))
  } catch {
    return new Map()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const inlined = (file: OnnxFile, taken: ReadonlyMap<NodeProto, GraphProto>): OnnxFile => {
  const { graph } = file
  const pool = NamePool.of(graph)
  const origins = new Map(file.origins ?? graph.node.map((node, i) => [node, label(node, i)] as const))
  const initializer = [...graph.initializer]
  const node = graph.node.flatMap(outer => {
    const branch = taken.get(outer)
    if (branch === undefined) return [outer]
    const names = namesInside(outer, branch, pool)
    for (const tensor of branch.initializer)
      initializer.push(messageWith(TensorProtoSchema, tensor, { name: names.get(tensor.name) ?? '' }))
    const inner = branch.node.map(n => {
      const moved = renamed(n, names, pool.fresh(`${prefixOf(outer)}/${n.name || n.opType}`))
      origins.set(moved, `${origins.get(outer)} > ${label(n)}`)
      return moved
    })
    return [...inner, ...handedOut(outer, branch, names)]
  })
  return { ...file, graph: { ...graph, node, initializer }, origins }
}

const prefixOf = ({ name, output, opType }: NodeProto): string => name || output[0] || opType

/** What a branch defines gets names that are free outside; its outputs get those of the If. */
const namesInside = (outer: NodeProto, branch: GraphProto, pool: NamePool): Map<string, string> => {
  const made = new Set(branch.node.flatMap(node => node.output))
  const names = new Map<string, string>()
  for (const [i, { name }] of branch.output.entries()) {
    const outside = outer.output[i] ?? ''
    if (outside !== '' && made.has(name) && !names.has(name)) names.set(name, outside)
  }
  for (const name of [...branch.initializer.map(tensor => tensor.name), ...made])
    if (name !== '' && !names.has(name)) names.set(name, pool.fresh(`${prefixOf(outer)}/${name}`))
  return names
}

/** Outputs of a branch that it does not make, or gives twice. */
const handedOut = (outer: NodeProto, branch: GraphProto, names: ReadonlyMap<string, string>): NodeProto[] =>
  branch.output.flatMap(({ name }, i) => {
    const [from, to] = [names.get(name) ?? name, outer.output[i] ?? '']
    return to === '' || from === to
      ? []
      : [create(NodeProtoSchema, { opType: 'Identity', input: [from], output: [to] })]
  })

/** Bodies inside read the new names where they captured the old. */
const renamed = (node: NodeProto, names: ReadonlyMap<string, string>, name = node.name): NodeProto => {
  const outside = (text: string): string => names.get(text) ?? text
  const body = (graph: GraphProto): GraphProto =>
    messageWith(GraphProtoSchema, graph, {
      node: graph.node.map(inner => renamed(inner, names)),
      output: graph.output.map(info => messageWith(ValueInfoProtoSchema, info, { name: outside(info.name) }))
    })
  const attribute =
    bodiesOf(node).length === 0
      ? node.attribute
      : node.attribute.map(a =>
          messageWith(AttributeProtoSchema, a, {
            graphs: a.graphs.map(body),
            ...(a.g === undefined ? {} : { g: body(a.g) })
          })
        )
  return messageWith(NodeProtoSchema, node, {
    name,
    input: node.input.map(outside),
    output: node.output.map(outside),
    attribute
  })
}
