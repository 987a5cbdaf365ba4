import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType
} from 'onnx-buf'

/** A tensor in the graph. Every shape in the zoo is fixed. */
export interface Value {
  readonly name: string
  readonly dims: readonly number[]
}

/** A float32 initializer that is drawn when it is written: uniform in [low, high]. */
export interface Weight extends Value {
  readonly low: number
  readonly high: number
  /** What training would change. BatchNormalization's mean and variance are not counted, as papers do not. */
  readonly learnt: boolean
}

/** Attributes of a node: whole numbers, lists of them, words; a float must say so. */
export type Attributes = Readonly<Record<string, number | readonly number[] | string | { readonly float: number }>>

export type ElementName = 'float32' | 'int64' | 'uint8'

const CODES = {
  float32: TensorProto_DataType.FLOAT,
  int64: TensorProto_DataType.INT64,
  uint8: TensorProto_DataType.UINT8
}

/** A network under construction, as an exporter would write it: nodes in order, names by module path. */
export class ZooGraph {
  readonly weights: Weight[] = []
  /** Multiplications with a weight or between activations, of the products that papers count. */
  macs = 0
  readonly #title: string
  readonly #inputs: ReturnType<typeof valueInfo>[] = []
  readonly #outputs: ReturnType<typeof valueInfo>[] = []
  readonly #nodes: MessageInitShape<typeof NodeProtoSchema>[] = []
  readonly #taken = new Map<string, number>()

  constructor(title: string) {
    this.#title = title
  }

  get parameters(): number {
    return this.weights.reduce((sum, { learnt, dims }) => sum + (learnt ? count(dims) : 0), 0)
  }

  input(name: string, dims: readonly number[], type: ElementName = 'float32'): Value {
    this.#inputs.push(valueInfo(name, dims, type))
    return { name, dims }
  }

  /** The result of a node becomes an output of the model, under its own name. */
  output(name: string, value: Value, type: ElementName = 'float32'): void {
    const node = this.#nodes.find(({ output }) => output?.includes(value.name))!
    node.output = node.output!.map(written => (written === value.name ? name : written))
    for (const reader of this.#nodes) reader.input = reader.input!.map(read => (read === value.name ? name : read))
    this.#outputs.push(valueInfo(name, value.dims, type))
  }

  /** Give a result another name, everywhere. */
  rename(value: Value, name: string): Value {
    for (const node of this.#nodes) {
      node.output = node.output!.map(written => (written === value.name ? name : written))
      node.input = node.input!.map(read => (read === value.name ? name : read))
    }
    return { name, dims: value.dims }
  }

  weight(name: string, dims: readonly number[], range: Omit<Weight, 'name' | 'dims' | 'learnt'>, learnt = true): Value {
    const weight = { name, dims, ...range, learnt }
    this.weights.push(weight)
    return weight
  }

  /**
   * One node with one result.
   * @param path the module it belongs to, dots between parts; with the operator it makes the node's name
   */
  op(
    path: string,
    opType: string,
    inputs: readonly Value[],
    dims: readonly number[],
    attributes: Attributes = {}
  ): Value {
    return this.ops(path, opType, inputs, [dims], attributes)[0]!
  }

  /** One node with several results. */
  ops(
    path: string,
    opType: string,
    inputs: readonly Value[],
    results: readonly (readonly number[])[],
    attributes: Attributes = {}
  ): Value[] {
    const name = this.#unique(`/${path.replaceAll('.', '/')}/${opType}`.replace('//', '/'))
    const outputs = results.map((dims, i) => ({ name: `${name}_output_${i}`, dims }))
    this.#nodes.push({
      name,
      opType,
      input: inputs.map(value => value.name),
      output: outputs.map(value => value.name),
      attribute: Object.entries(attributes).map(toAttribute)
    })
    return outputs
  }

  /** A Constant node, as exporters write shapes, scalars and masks. */
  constant(path: string, data: Float32Array | BigInt64Array, dims: readonly number[]): Value {
    const value = this.op(path, 'Constant', [], dims)
    const t = {
      dims: dims.map(BigInt),
      dataType: data instanceof Float32Array ? CODES.float32 : CODES.int64,
      rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    }
    this.#nodes.at(-1)!.attribute = [{ name: 'value', type: AttributeType.TENSOR, t }]
    return value
  }

  scalar(path: string, value: number): Value {
    return this.constant(path, Float32Array.of(value), [])
  }

  integers(path: string, values: readonly number[]): Value {
    return this.constant(path, BigInt64Array.from(values, BigInt), [values.length])
  }

  /** The model without its graph. */
  header(): ModelProto {
    return create(ModelProtoSchema, { irVersion: 8n, producerName: 'tributary zoo', opsetImport: [{ version: 17n }] })
  }

  /** The graph without its weights. */
  body(): GraphProto {
    return create(GraphProtoSchema, {
      name: this.#title,
      node: this.#nodes,
      input: this.#inputs,
      output: this.#outputs
    })
  }

  #unique(name: string): string {
    const before = this.#taken.get(name) ?? 0
    this.#taken.set(name, before + 1)
    return before === 0 ? name : `${name}_${before}`
  }
}

const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1)

const valueInfo = (name: string, dims: readonly number[], type: ElementName) => ({
  name,
  type: {
    value: {
      case: 'tensorType' as const,
      value: {
        elemType: CODES[type],
        shape: { dim: dims.map(dim => ({ value: { case: 'dimValue' as const, value: BigInt(dim) } })) }
      }
    }
  }
})

const toAttribute = ([name, value]: [string, Attributes[string]]): MessageInitShape<typeof AttributeProtoSchema> => {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) }
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float }
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) }
}
