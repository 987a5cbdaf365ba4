import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { type GraphProto, GraphProtoSchema, type NodeProto, type ValueInfoProto, ValueInfoProtoSchema } from 'onnx-buf'
import { bodiesOf } from '../bodies-of.ts'
import { constantTensor } from '../constant-tensor.ts'
import { DATA_TYPE } from '../element-bits.ts'
import { FunctionTable } from '../function-table.ts'
import { captured, type GraphAnalysis } from '../graph-analysis.ts'
import { bodyOfCall } from '../inline-functions.ts'
import { type NodeCost, nodeCost } from '../layer-cost.ts'
import { constantsFor } from '../make-blocks.ts'
import { isDefaultDomain } from '../onnx-file.ts'
import type { OpenModel } from '../open-model.ts'
import type { TensorFacts } from '../tensor-facts.ts'
import { tensorType } from '../tensor-type.ts'
import { Prober } from './infer-types.ts'

/** Asking for the shapes in a body costs a session; this many bodies, then their operators count one element each. */
const MAX_BODIES = 64

type Dims = readonly number[] | undefined
type DimsOf = (name: string) => Dims

/**
 * What the bodies of layers cost at the shapes that the facts were found at: of an If its dearer branch, of a Scan its body
 * as often as it runs, of a Loop as often as a constant says, else once; of a call of a function that the whole does not
 * have in its place, the function's body. Only such layers are in it.
 */
export const bodyCosts = async (
  analysis: GraphAnalysis,
  facts: TensorFacts,
  openModel: OpenModel
): Promise<ReadonlyMap<NodeProto, NodeCost>> => {
  const functions = new FunctionTable(analysis.file.model)
  const nodes = analysis.layers
    .map(layer => layer.node)
    .filter(node => bodiesOf(node).length > 0 || functions.called(node) !== undefined)
  if (nodes.length === 0) return new Map()
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bodies-'))
  try {
    const coster = new BodyCoster(analysis, facts, new Prober(analysis.file, folder, openModel))
    const costs = new Map<NodeProto, NodeCost>()
    for (const node of nodes) costs.set(node, await coster.cost(node, name => facts.of(name).dims))
    return costs
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

class BodyCoster {
  readonly #analysis: GraphAnalysis
  readonly #facts: TensorFacts
  readonly #prober: Prober
  readonly #numbers: ReadonlyMap<string, number>
  readonly #functions: FunctionTable
  readonly #inside = new Map<NodeProto, readonly GraphProto[]>()
  #asked = 0

  constructor(analysis: GraphAnalysis, facts: TensorFacts, prober: Prober) {
    this.#analysis = analysis
    this.#facts = facts
    this.#prober = prober
    this.#functions = new FunctionTable(analysis.file.model)
    this.#numbers = tripCounts(analysis)
  }

  async cost(node: NodeProto, outside: DimsOf): Promise<NodeCost> {
    const bodies: NodeCost[] = []
    for (const body of this.#insideOf(node)) bodies.push(await this.#body(node, body, outside))
    const dearest = bodies.reduce((a, b) => (b.flops > a.flops ? b : a))
    const times = this.#times(node, outside)
    return { flops: times * dearest.flops, bytes: times * dearest.bytes, nodes: times * dearest.nodes }
  }

  async #body(node: NodeProto, body: GraphProto, outside: DimsOf): Promise<NodeCost> {
    const inside = await this.#dimsIn(node, body, outside)
    const sum = { flops: 0, bytes: 0, nodes: 0 }
    for (const inner of body.node) {
      const { flops, bytes, nodes } =
        this.#insideOf(inner).length === 0 ? nodeCost(inner, inside) : await this.cost(inner, inside)
      sum.flops += flops
      sum.bytes += bytes
      sum.nodes += nodes
    }
    return sum
  }

  /** The bodies of a node, or that of the function that it calls, which has the names of the call. */
  #insideOf(node: NodeProto): readonly GraphProto[] {
    const known = this.#inside.get(node)
    if (known !== undefined) return known
    const { file } = this.#analysis
    const isCall = this.#functions.called(node) !== undefined
    const found = isCall ? [create(GraphProtoSchema, { name: 'called', node: bodyOfCall(file, node) })] : bodiesOf(node)
    this.#inside.set(node, found)
    return found
  }

  #times(node: NodeProto, outside: DimsOf): number {
    if (!isDefaultDomain(node.domain)) return 1
    if (node.opType === 'Loop') return this.#numbers.get(node.input[0] ?? '') ?? 1
    if (node.opType !== 'Scan') return 1
    const scanned = outside(node.input.at(-1) ?? '')
    const axes = node.attribute.find(a => a.name === 'scan_input_axes')?.ints ?? []
    return scanned?.at(Number(axes.at(-1) ?? 0)) ?? 1
  }

  /** Dimensions of what a body makes and is given, asked of the runtime with the body as a model of its own. */
  async #dimsIn(node: NodeProto, body: GraphProto, outside: DimsOf): Promise<DimsOf> {
    const given = givenDims(node, body, outside)
    const constants = new Map(
      [...body.initializer, ...body.node.flatMap(inner => constantTensor(inner) ?? [])].map(t => [
        t.name,
        t.dims.map(Number)
      ])
    )
    const known = (name: string): Dims => given.get(name) ?? constants.get(name)
    if (this.#asked++ >= MAX_BODIES) return name => known(name) ?? outside(name)
    const names = body.node.flatMap(inner => inner.output.filter(name => name !== ''))
    const found = await this.#prober
      .infer(this.#asModel(body, given, outside), names)
      .catch(() => new Map<string, never>())
    return name => {
      const shape = (found as ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>).get(name)?.shape
      const dims = shape?.every(d => typeof d === 'number') === true ? (shape as readonly number[]) : undefined
      return known(name) ?? dims ?? outside(name)
    }
  }

  #asModel(body: GraphProto, given: ReadonlyMap<string, readonly number[]>, outside: DimsOf): GraphProto {
    const { graph } = this.#analysis.file
    const free = new Set(body.node.flatMap(inner => [...inner.input, ...captured(inner)]))
    for (const name of namesIn(body)) free.delete(name)
    const constants = constantsFor(this.#analysis, free)
    const made = new Set(constants.flatMap(layer => layer.writes))
    const read = new Set([...free, ...constants.flatMap(layer => layer.reads)])
    const initializer = graph.initializer.filter(tensor => read.has(tensor.name))
    const held = new Set([...made, ...initializer.map(tensor => tensor.name)])
    const fed = [...free].filter(name => name !== '' && !held.has(name))
    return create(GraphProtoSchema, {
      name: 'body',
      node: [...constants.map(layer => layer.node), ...body.node],
      initializer: [...initializer, ...body.initializer],
      input: [
        ...body.input.map(info => withDims(info, given.get(info.name))),
        ...fed.map(name => this.#captured(name, outside(name)))
      ],
      output: []
    })
  }

  #captured(name: string, dims: Dims): ValueInfoProto {
    const { type } = this.#facts.of(name)
    return create(ValueInfoProtoSchema, { name, type: tensorType(type === undefined ? 1 : DATA_TYPE[type], dims) })
  }
}

/** What a body defines. */
const namesIn = (body: GraphProto): string[] => [
  '',
  ...body.input.map(info => info.name),
  ...body.initializer.map(tensor => tensor.name),
  ...body.node.flatMap(node => node.output)
]

/** Dimensions of a body's inputs: what a Loop carries and a Scan cuts in slices. */
const givenDims = (node: NodeProto, body: GraphProto, outside: DimsOf): Map<string, readonly number[]> => {
  const scanned = node.opType === 'Scan' ? Number(node.attribute.find(a => a.name === 'num_scan_inputs')?.i ?? 0) : 0
  const states = body.input.length - scanned
  const axes = node.attribute.find(a => a.name === 'scan_input_axes')?.ints.map(Number) ?? []
  const dims = body.input.map((_, i): Dims => {
    if (node.opType === 'Loop') return i < 2 ? [] : outside(node.input[i] ?? '')
    const whole = outside(node.input[i] ?? '')
    return i < states ? whole : whole?.filter((_, axis) => axis !== axisOf(axes[i - states] ?? 0, whole.length))
  })
  return new Map(body.input.flatMap(({ name }, i) => (dims[i] === undefined ? [] : [[name, dims[i]] as const])))
}

const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

const withDims = (info: ValueInfoProto, dims: Dims): ValueInfoProto =>
  dims === undefined || info.type?.value.case !== 'tensorType'
    ? info
    : create(ValueInfoProtoSchema, { name: info.name, type: tensorType(info.type.value.value.elemType, dims) })

/** Integers that say how often a Loop runs. */
const tripCounts = ({ file: { graph } }: GraphAnalysis): ReadonlyMap<string, number> => {
  const held = [...graph.initializer, ...graph.node.flatMap(node => constantTensor(node) ?? [])]
  return new Map(
    held.flatMap(({ name, dataType, rawData, int64Data }) => {
      if (dataType !== DATA_TYPE.int64) return []
      const raw =
        rawData.length === 8 ? new DataView(rawData.buffer, rawData.byteOffset).getBigInt64(0, true) : undefined
      const trips = int64Data.length === 1 ? int64Data[0] : raw
      // More than this is "until the condition says stop", not a number of rounds.
      return trips === undefined || trips < 0n || trips > 1_000_000n ? [] : [[name, Number(trips)] as const]
    })
  )
}
