import { create } from '@bufbuild/protobuf'
import {
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { constantTensor } from './constant-tensor.ts'
import { DequantizedWeights, isDequantizer, type SeenGraph } from './dequantized-weights.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import { messageWith } from './message-with.ts'
import { NamePool, namesOfNodes } from './name-pool.ts'
import type { TensorFacts } from './tensor-facts.ts'
import { tensorType } from './tensor-type.ts'

/** A block's nodes, and what must be added to its constants and inputs. */
export interface MergedAlike {
  readonly nodes: readonly NodeProto[]
  readonly initializers: readonly TensorProto[]
  readonly settable: readonly ValueInfoProto[]
}

/** The version of the format from which an initializer may be an input that need not be fed. */
const SETTABLE_FROM = 4n

/**
 * Makes sure that the runtime merges in a block what it merges in the whole, and no more, where that changes numbers: at
 * weights in few bits (dequantized-weights.ts). A cut hides readers, so a weight that two layers read is read by one
 * in each block, and a Relu whose reader is in the next block is an output.
 *
 * A scale that a user could set keeps a product from being merged, and costs nothing: its weight is made into floats in
 * every run, as in the whole. A Relu is kept inside of its block by a node behind it that copies it.
 */
export class MergeAlike {
  readonly #analysis: GraphAnalysis
  readonly #facts: TensorFacts
  readonly #constants: ReadonlyMap<string, TensorProto>
  /** Undefined where no weight is stored so. */
  readonly #whole: DequantizedWeights | undefined

  constructor(analysis: GraphAnalysis, facts: TensorFacts) {
    const { graph } = analysis.file
    this.#analysis = analysis
    this.#facts = facts
    const settable = new Set(graph.input.map(input => input.name))
    const all = [...graph.initializer, ...graph.node.flatMap(node => constantTensor(node) ?? [])]
    this.#constants = new Map(all.filter(({ name }) => !settable.has(name)).map(tensor => [tensor.name, tensor]))
    this.#whole = graph.node.some(isDequantizer)
      ? new DequantizedWeights(this.#seen(graph.node, new Set(analysis.outputs)))
      : undefined
  }

  /** A weight that the runtime makes into floats instead of merging it with what reads it. */
  becomesFloats(dequantizer: NodeProto): boolean {
    return this.#whole?.staysAsItIs(dequantizer) === true
  }

  /** @param outputs of the block */
  block(nodes: readonly NodeProto[], outputs: ReadonlySet<string>): MergedAlike {
    const whole = this.#whole
    if (whole === undefined) return { nodes, initializers: [], settable: [] }
    const pool = new NamePool([...namesOfNodes(nodes), ...this.#constants.keys()])
    const made = new Set(nodes.flatMap(node => node.output))
    const kept = nodes.flatMap(node => {
      const [output = ''] = node.output
      const [input = ''] = node.input
      if (outputs.has(output) && whole.keepsProduct(node)) return keptInside(node, pool)
      if (outputs.has(output) && this.#isSignedPair(whole, output)) return quantisedAgain(node, pool)
      if (isDequantizer(node) && !made.has(input) && this.#isSignedPair(whole, input))
        return dequantisedAgain(node, pool)
      return [node]
    })
    const alone = new DequantizedWeights(this.#seen(kept, outputs))
    const initializers: TensorProto[] = []
    const result = kept.map(node => {
      if (!isDequantizer(node) || !whole.staysAsItIs(node) || alone.staysAsItIs(node)) return node
      const scale = this.#constants.get(node.input[1] ?? '')
      if (scale === undefined || this.#analysis.file.model.irVersion < SETTABLE_FROM) return node
      const own = messageWith(TensorProtoSchema, scale, { name: pool.fresh(`${scale.name}/settable`) })
      initializers.push(own)
      return messageWith(NodeProtoSchema, node, { input: node.input.map((name, i) => (i === 1 ? own.name : name)) })
    })
    const settable = initializers.map(({ name, dataType, dims }) =>
      create(ValueInfoProtoSchema, { name, type: tensorType(dataType, dims.map(Number)) })
    )
    return { nodes: result, initializers, settable }
  }

  #isSignedPair(whole: DequantizedWeights, name: string): boolean {
    return this.#facts.of(name).type === 'int8' && whole.isPair(name)
  }

  #seen(nodes: readonly NodeProto[], outputs: ReadonlySet<string>): SeenGraph {
    const rankOf = (name: string): number | undefined =>
      (this.#facts.of(name).dims ?? this.#facts.of(name).shape)?.length
    return { nodes, constants: this.#constants, outputs, rankOf }
  }
}

/**
 * On processors that have no products of signed bytes the runtime makes an unsigned pair of every QuantizeLinear with its
 * one DequantizeLinear, and merges no signed ones. A cut parts the two; so each side gets the other half once more, which
 * changes no value, and a copy between, or the runtime would take the two out again.
 */
const quantisedAgain = (node: NodeProto, pool: NamePool): NodeProto[] => {
  const [name = ''] = node.output
  const [inside, floats] = [pool.fresh(`${name}/inside`), pool.fresh(`${name}/floats`)]
  const [dequantizer, copied] = copyOfFloats(node, inside, floats, pool)
  return [
    messageWith(NodeProtoSchema, node, { output: [inside] }),
    dequantizer,
    copied,
    messageWith(NodeProtoSchema, node, {
      name: pool.fresh(`${name}/again`),
      input: [floats, ...node.input.slice(1)],
      output: [name]
    })
  ]
}

/** The same for the DequantizeLinear behind a cut. */
const dequantisedAgain = (node: NodeProto, pool: NamePool): NodeProto[] => {
  const [name = ''] = node.output
  const [floats, inside] = [pool.fresh(`${name}/floats`), pool.fresh(`${name}/inside`)]
  return [
    ...copyOfFloats(node, node.input[0] ?? '', floats, pool),
    messageWith(NodeProtoSchema, node, {
      name: pool.fresh(`${name}/again`),
      opType: 'QuantizeLinear',
      input: [floats, ...node.input.slice(1)],
      output: [inside]
    }),
    messageWith(NodeProtoSchema, node, { input: [inside, ...node.input.slice(1)] })
  ]
}

/** A DequantizeLinear with scale, zero point and axis of this node, and a copy of what it makes. */
const copyOfFloats = (node: NodeProto, from: string, to: string, pool: NamePool): readonly [NodeProto, NodeProto] => {
  const between = pool.fresh(`${to}/made`)
  const dequantizer = messageWith(NodeProtoSchema, node, {
    name: between,
    opType: 'DequantizeLinear',
    input: [from, ...node.input.slice(1)],
    output: [between],
    attribute: node.attribute.filter(a => a.name === 'axis' || a.name === 'block_size')
  })
  const copy = create(NodeProtoSchema, {
    name: pool.fresh(`${to}/copy`),
    opType: 'Max',
    input: [between],
    output: [to]
  })
  return [dequantizer, copy]
}

/** The maximum of one tensor is that tensor, whatever its shape, and the runtime removes no such node. */
const keptInside = (node: NodeProto, pool: NamePool): NodeProto[] => {
  const [name = ''] = node.output
  const inside = pool.fresh(`${name}/inside`)
  return [
    messageWith(NodeProtoSchema, node, { output: [inside] }),
    create(NodeProtoSchema, { name: pool.fresh(`${name}/copy`), opType: 'Max', input: [inside], output: [name] })
  ]
}
