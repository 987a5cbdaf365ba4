import { create, toBinary } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataType } from 'onnx-buf'
import { createRng } from '../../core/rng.ts'

const CHANNELS = 48
const SIDE = 56
const LAYERS = 3
const WIDE = 512

/**
 * What most of a vision or language model's time goes into, in a few milliseconds: convolutions 3x3 with ReLU, then a
 * matrix product. The same bytes on every machine.
 */
export const calibrationModel = (): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 13n }], graph: graph() })
  )

const graph = () => {
  const convolutions = Array.from({ length: LAYERS }, (_, i) => [
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
      ...Array.from({ length: LAYERS }, (_, i) => weights(`kernel${i}`, [CHANNELS, CHANNELS, 3, 3])),
      weights('matrix', [WIDE, WIDE])
    ],
    input: [value('image', [1, CHANNELS, SIDE, SIDE]), value('rows', [64, WIDE])],
    output: [value(`r${LAYERS}`, [1, CHANNELS, SIDE, SIDE]), value('product', [64, WIDE])]
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
