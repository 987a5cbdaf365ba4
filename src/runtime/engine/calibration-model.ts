import { create, toBinary } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataType } from 'onnx-buf'
import { createRng } from '../../core/rng.ts'

/** How large it is. */
interface Extent {
  readonly channels: number
  readonly side: number
  readonly layers: number
  readonly wide: number
}

const REFERENCE: Extent = { channels: 48, side: 56, layers: 3, wide: 512 }
/** Only whether it runs is asked. */
export const TINY: Extent = { channels: 4, side: 4, layers: 1, wide: 8 }

/**
 * What most of a vision or language model's time goes into, in a few milliseconds: convolutions 3x3 with ReLU, then a
 * matrix product. The same bytes on every machine.
 */
export const calibrationModel = (extent = REFERENCE): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 13n }], graph: graph(extent) })
  )

const graph = ({ channels, side, layers, wide }: Extent) => {
  const convolutions = Array.from({ length: layers }, (_, i) => [
    {
      opType: 'Conv',
      input: [i === 0 ? 'image' : `r${i}`, `kernel${i}`],
      output: [`c${i}`],
      attribute: [{ name: 'pads', type: AttributeProto_AttributeType.INTS, ints: [1n, 1n, 1n, 1n] }]
    },
    { opType: 'Relu', input: [`c${i}`], output: [`r${i + 1}`] }
  ]).flat()
  return {
    name: 'calibration',
    node: [...convolutions, { opType: 'MatMul', input: ['rows', 'matrix'], output: ['product'] }],
    initializer: [
      ...Array.from({ length: layers }, (_, i) => weights(`kernel${i}`, [channels, channels, 3, 3])),
      weights('matrix', [wide, wide])
    ],
    input: [value('image', [1, channels, side, side]), value('rows', [64, wide])],
    output: [value(`r${layers}`, [1, channels, side, side]), value('product', [64, wide])]
  }
}

const weights = (name: string, dims: readonly number[]) => {
  const rng = createRng(name)
  const count = dims.reduce((a, b) => a * b, 1)
  const elements = Float32Array.from({ length: count }, () => (rng.next() - 0.5) / Math.sqrt(count / dims[0]!))
  const rawData = new Uint8Array(elements.buffer) // an order of magnitude less memory than a list of numbers
  return { name, dataType: TensorProto_DataType.FLOAT, dims: dims.map(BigInt), rawData }
}

const value = (name: string, dims: readonly number[]) => ({
  name,
  type: {
    value: {
      case: 'tensorType' as const,
      value: {
        elemType: TensorProto_DataType.FLOAT,
        shape: { dim: dims.map(dim => ({ value: { case: 'dimValue' as const, value: BigInt(dim) } })) }
      }
    }
  }
})
