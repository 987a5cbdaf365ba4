import { type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { captured } from './graph-analysis.ts'
import { isDefaultDomain } from './onnx-file.ts'

/** A graph as the runtime would see it: the whole's, or a block's. */
export interface SeenGraph {
  readonly nodes: readonly NodeProto[]
  /** Constants by name that nobody can set: initializers, and what Constant nodes make. */
  readonly constants: ReadonlyMap<string, TensorProto>
  readonly outputs: ReadonlySet<string>
  /** Rank of a tensor where it is known. */
  readonly rankOf: (name: string) => number | undefined
}

/** Operators that only lay a weight out otherwise: the runtime moves them to the other side of its DequantizeLinear. */
const LAYOUT = new Set(['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Identity'])
const PRODUCTS = new Set(['MatMul', 'Gemm'])
const CLIPS = new Set(['Relu', 'Clip'])

/**
 * Which products of weights that are stored in few bits ONNX Runtime (1.30) keeps as they are, and which it makes one
 * MatMulNBits of, which quantises the other operand too and so computes something else, up to a percent away.
 *
 * It is made where DequantizeLinear stands before the second operand alone, and weight, scale and zero point are
 * constants, each read by nothing else; and where no QuantizeLinear follows, nor a Relu or Clip that has one reader and is no output (its
 * QDQ selection looks for a QuantizeLinear behind the clip, and gives up without one). Every reader has a
 * DequantizeLinear of its own by then, scalars of one value are one constant, and constant sub-expressions are folded, but
 * for those with a DequantizeLinear in them.
 */
export class DequantizedWeights {
  readonly #seen: SeenGraph
  readonly #readers = new Map<string, NodeProto[]>()
  readonly #producer = new Map<string, NodeProto>()
  readonly #folded: ReadonlySet<NodeProto>
  readonly #alike: ReadonlyMap<string, readonly string[]>

  constructor(seen: SeenGraph) {
    this.#seen = seen
    for (const node of seen.nodes) {
      for (const name of node.output) this.#producer.set(name, node)
      for (const name of [...node.input, ...captured(node)]) {
        const known = this.#readers.get(name)
        if (known === undefined) this.#readers.set(name, [node])
        else known.push(node)
      }
    }
    this.#folded = foldedNodes(seen)
    this.#alike = scalarsAlike(seen.constants)
  }

  /** A product stays as it is although it reads its weight through this DequantizeLinear. */
  staysAsItIs(dequantizer: NodeProto): boolean {
    const products = this.#productsOf(dequantizer)
    return products.length > 0 && (this.#sharesInputs(dequantizer) || products.some(node => this.#isFollowed(node)))
  }

  /** A Relu or Clip that keeps the product before it from being merged because it is read once. */
  keepsProduct(clip: NodeProto): boolean {
    if (!isClip(clip) || !this.#isReadOnce(clip)) return false
    const before = this.#producer.get(clip.input[0] ?? '')
    if (before === undefined || !this.#isReadOnce(before)) return false
    return [before, ...before.input.map(name => this.#producer.get(name))].some(
      node => node?.input.some(name => isDequantizer(this.#producer.get(name))) === true
    )
  }

  /** A tensor between a QuantizeLinear and the one DequantizeLinear that reads it. */
  isPair(name: string): boolean {
    const producer = this.#producer.get(name)
    return (
      producer !== undefined &&
      isQuantizer(producer) &&
      this.#isReadOnce(producer) &&
      isDequantizer(this.#readersOf(name)[0])
    )
  }

  #isReadOnce({ output }: NodeProto): boolean {
    const name = output[0] ?? ''
    return !this.#seen.outputs.has(name) && this.#readersOf(name).length === 1
  }

  #readersOf(name: string): readonly NodeProto[] {
    return this.#readers.get(name) ?? []
  }

  /** Products whose second operand comes from here, and whose first comes from no DequantizeLinear. */
  #productsOf({ output }: NodeProto): NodeProto[] {
    return this.#readersOf(output[0] ?? '').flatMap(reader => {
      if (isLayout(reader)) return this.#productsOf(reader)
      const isWeight = isOf(PRODUCTS, reader) && reader.input[1] === output[0]
      return isWeight && !isDequantizer(this.#producer.get(reader.input[0] ?? '')) ? [reader] : []
    })
  }

  #sharesInputs(dequantizer: NodeProto): boolean {
    const [weight, ...steps] = dequantizer.input
    return (this.#getsOwnWeight(dequantizer) ? steps : [weight ?? '', ...steps]).some(name => {
      const names = this.#alike.get(name) ?? [name]
      return names.reduce((sum, alike) => sum + this.#uses(alike), 0) > 1
    })
  }

  /** Nodes that read a constant when the runtime comes to merge. */
  #uses(name: string): number {
    return this.#readersOf(name).reduce((sum, reader) => {
      if (!isDequantizer(reader)) return sum + (this.#folded.has(reader) ? 0 : 1)
      return sum + (reader.input[0] === name && this.#getsOwnWeight(reader) ? 0 : Math.max(1, this.#ends(reader)))
    }, 0)
  }

  /**
   * With a zero point or eight bits, and only a change of layout behind it that is read once, the runtime quantises again
   * after that change, and folds: such a layout of the weight is a constant of its own.
   */
  #getsOwnWeight(dequantizer: NodeProto): boolean {
    const { input, attribute } = dequantizer
    const [reader, ...more] = this.#readersOf(dequantizer.output[0] ?? '')
    const rank = this.#seen.constants.get(input[1] ?? '')?.dims.length
    const isBlocked = attribute.some(a => a.name === 'block_size' && a.i > 0n)
    const stored = this.#seen.constants.get(input[0] ?? '')?.dataType
    const isWhole =
      (input[2] ?? '') !== '' || stored === TensorProto_DataType.INT8 || stored === TensorProto_DataType.UINT8
    if (!isWhole || rank === undefined || isBlocked || reader === undefined || more.length > 0) return false
    return isLayout(reader) && (rank === 0 || reader.opType === 'Transpose') && this.#isReadOnce(reader)
  }

  /** How many read what it makes, changes of layout left out. */
  #ends({ output }: NodeProto): number {
    const name = output[0] ?? ''
    const isOutput = this.#seen.outputs.has(name) ? 1 : 0
    return this.#readersOf(name).reduce(
      (sum, reader) => sum + (isLayout(reader) ? Math.max(1, this.#ends(reader)) : 1),
      isOutput
    )
  }

  #isFollowed(product: NodeProto): boolean {
    const last = this.#withBias(product)
    const name = last.output[0] ?? ''
    if (this.#readersOf(name).some(isQuantizer)) return true
    const [next] = this.#readersOf(name)
    return next !== undefined && isClip(next) && this.#isReadOnce(last) && this.#isReadOnce(next)
  }

  /** A product of matrices and the addition of a constant are one node by then. */
  #withBias(product: NodeProto): NodeProto {
    const [next] = this.#readersOf(product.output[0] ?? '')
    if (product.opType !== 'MatMul' || next?.opType !== 'Add' || !this.#isReadOnce(product)) return product
    const isBias = next.input.some(name => this.#seen.constants.has(name))
    return isBias && this.#seen.rankOf(product.input[0] ?? '') === 2 ? next : product
  }
}

export const isDequantizer = (node: NodeProto | undefined): boolean =>
  node !== undefined && node.opType === 'DequantizeLinear' && isDefaultDomain(node.domain)

const isQuantizer = (node: NodeProto): boolean => node.opType === 'QuantizeLinear' && isDefaultDomain(node.domain)
const isClip = (node: NodeProto): boolean => isOf(CLIPS, node)
const isLayout = (node: NodeProto): boolean => isOf(LAYOUT, node)
const isOf = (kinds: ReadonlySet<string>, node: NodeProto): boolean =>
  kinds.has(node.opType) && isDefaultDomain(node.domain)

/** Nodes that the runtime computes once, when it loads the graph; in any order. */
const foldedNodes = ({ nodes, constants }: SeenGraph): ReadonlySet<NodeProto> => {
  const known = new Set(constants.keys())
  const folded = new Set<NodeProto>()
  const candidates = nodes.filter(node => !isDequantizer(node))
  for (let before = -1; before < folded.size; ) {
    before = folded.size
    for (const node of candidates) {
      if (folded.has(node) || ![...node.input, ...captured(node)].every(name => name === '' || known.has(name)))
        continue
      folded.add(node)
      for (const name of node.output) known.add(name)
    }
  }
  return folded
}

/** Scalars and vectors of one element that the runtime makes one constant of, each with all of its kind. */
const scalarsAlike = (constants: ReadonlyMap<string, TensorProto>): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>()
  for (const [name, tensor] of constants) {
    const key = scalarKey(tensor)
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), name])
  }
  return new Map([...groups.values()].flatMap(names => names.map(name => [name, names] as const)))
}

const scalarKey = ({ dataType, dims, rawData, floatData, doubleData, int32Data, int64Data }: TensorProto) => {
  if (!(dims.length === 0 || (dims.length === 1 && dims[0] === 1n)) || !SCALARS.has(dataType)) return undefined
  const typed = [...floatData, ...doubleData, ...int32Data, ...int64Data][0]
  const value = typed === undefined ? scalarOf(dataType, rawData) : Number(typed)
  return value === undefined ? undefined : `${dataType} ${dims.length} ${value}`
}

const scalarOf = (dataType: number, raw: Uint8Array): number | undefined => {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const [bytes, read] = SCALARS.get(dataType)!
  return raw.byteLength === bytes ? read(view) : undefined
}

/** The types that the runtime does this for: bytes, and how they are read. */
const SCALARS: ReadonlyMap<number, readonly [number, (view: DataView) => number]> = new Map([
  [TensorProto_DataType.FLOAT, [4, view => view.getFloat32(0, true)]],
  [TensorProto_DataType.FLOAT16, [2, view => view.getUint16(0, true)]],
  [TensorProto_DataType.DOUBLE, [8, view => view.getFloat64(0, true)]],
  [TensorProto_DataType.INT32, [4, view => view.getInt32(0, true)]],
  [TensorProto_DataType.INT64, [8, view => Number(view.getBigInt64(0, true))]]
] as const)
