import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType as A,
  type AttributeProtoSchema,
  type FunctionProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType as T,
  type TensorProtoSchema
} from 'onnx-buf'

type Attribute = MessageInitShape<typeof AttributeProtoSchema>
type Graph = MessageInitShape<typeof GraphProtoSchema>
type Node = MessageInitShape<typeof NodeProtoSchema>
export type Weights = MessageInitShape<typeof TensorProtoSchema>
/** Null: a dimension without value and name. */
export type Dims = readonly (number | bigint | string | null)[]

/** "Conv(x, w) -> y" as a node; a blank input is one left empty. */
export const node = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attribute: Attribute[] = [],
  domain = '',
  overload = ''
): Node => ({
  opType,
  input: [...input],
  output: [...output],
  attribute,
  domain,
  overload
})

export const int = (name: string, i: number): Attribute => ({ name, type: A.INT, i: BigInt(i) })
export const ints = (name: string, values: readonly number[]): Attribute => ({
  name,
  type: A.INTS,
  ints: values.map(BigInt)
})
export const float = (name: string, f: number): Attribute => ({ name, type: A.FLOAT, f })
export const floatList = (name: string, values: readonly number[]): Attribute => ({
  name,
  type: A.FLOATS,
  floats: [...values]
})
export const stringList = (name: string, values: readonly string[]): Attribute => ({
  name,
  type: A.STRINGS,
  strings: values.map(text => new TextEncoder().encode(text))
})
export const text = (name: string, s: string): Attribute => ({ name, type: A.STRING, s: new TextEncoder().encode(s) })
/** An attribute of a function's node that has the value of one of the call's. */
export const reference = (name: string, refAttrName: string, type: A): Attribute => ({ name, refAttrName, type })
export const body = (name: string, g: Graph): Attribute => ({ name, type: A.GRAPH, g })
export const tensorAttribute = (t: Weights, name = 'value'): Attribute => ({ name, type: A.TENSOR, t })

/** Seeded-looking floats without a generator: enough to tell one element from another. */
export const floats = (name: string, dims: readonly number[], scale = 1): Weights => {
  const count = dims.reduce((a, b) => a * b, 1)
  return {
    name,
    dataType: T.FLOAT,
    dims: dims.map(BigInt),
    rawData: raw(Float32Array.from({ length: count }, (_, i) => scale * Math.sin(i * 12.9898 + name.length)))
  }
}
export const int64s = (
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length]
): Weights => ({
  name,
  dataType: T.INT64,
  dims: dims.map(BigInt),
  rawData: raw(BigInt64Array.from(values, BigInt))
})
export const bytesOf = (
  name: string,
  dataType: T.INT8 | T.UINT8 | T.BOOL,
  values: readonly number[],
  dims: readonly number[] = [values.length]
): Weights => ({
  name,
  dataType,
  dims: dims.map(BigInt),
  rawData: Uint8Array.from(values, v => v & 255)
})

const raw = (view: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> => new Uint8Array(view.buffer)

export const value = (name: string, elemType: T, dims?: Dims) => ({
  name,
  type: {
    value: {
      case: 'tensorType' as const,
      value: {
        elemType,
        ...(dims === undefined
          ? {}
          : {
              shape: {
                dim: dims.map(d => ({
                  value:
                    d === null
                      ? { case: undefined }
                      : typeof d === 'string'
                        ? { case: 'dimParam' as const, value: d }
                        : { case: 'dimValue' as const, value: BigInt(d) }
                }))
              }
            })
      }
    }
  }
})

export interface ModelParts {
  readonly nodes: readonly Node[]
  readonly inputs: readonly ReturnType<typeof value>[]
  readonly outputs: readonly ReturnType<typeof value>[]
  /** What the model claims of tensors inside. */
  readonly claims?: readonly ReturnType<typeof value>[]
  readonly weights?: readonly Weights[]
  readonly functions?: readonly MessageInitShape<typeof FunctionProtoSchema>[]
  readonly opset?: number
  readonly irVersion?: number
  readonly domains?: readonly { readonly domain: string; readonly version: number }[]
  /** What the file says of itself. */
  readonly properties?: Readonly<Record<string, string>>
}

/** An ONNX model, as bytes. */
export const buildModel = ({
  nodes,
  inputs,
  outputs,
  claims = [],
  weights = [],
  functions = [],
  opset = 17,
  irVersion = 8,
  domains = [],
  properties = {}
}: ModelParts): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(irVersion),
      opsetImport: [
        { version: BigInt(opset) },
        ...domains.map(d => ({ domain: d.domain, version: BigInt(d.version) }))
      ],
      functions: [...functions],
      metadataProps: Object.entries(properties).map(([key, value]) => ({ key, value })),
      graph: {
        name: 'test',
        node: [...nodes],
        initializer: [...weights],
        input: [...inputs],
        output: [...outputs],
        valueInfo: [...claims]
      }
    })
  )
