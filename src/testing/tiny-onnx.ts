import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { type GraphProtoSchema, ModelProtoSchema, type NodeProtoSchema, TensorProto_DataType } from 'onnx-buf'
import type { ElementType } from '../core/tensor.ts'

const CODES: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  float16: TensorProto_DataType.FLOAT16,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
  int16: TensorProto_DataType.INT16,
  uint16: TensorProto_DataType.UINT16,
  int32: TensorProto_DataType.INT32,
  uint32: TensorProto_DataType.UINT32,
  int64: TensorProto_DataType.INT64,
  uint64: TensorProto_DataType.UINT64,
  bool: TensorProto_DataType.BOOL,
  string: TensorProto_DataType.STRING
}

export interface TinyOnnx {
  readonly inputs: Readonly<Record<string, readonly [ElementType, readonly (number | string)[]]>>
  readonly outputs: Readonly<Record<string, readonly [ElementType, readonly (number | string)[]]>>
  readonly nodes: readonly MessageInitShape<typeof NodeProtoSchema>[]
  readonly initializers?: MessageInitShape<typeof GraphProtoSchema>['initializer']
  readonly opset?: number
}

/** A small ONNX model for tests, as bytes. */
export const tinyOnnx = ({ inputs, outputs, nodes, initializers = [], opset = 17 }: TinyOnnx): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ version: BigInt(opset) }],
      graph: {
        name: 'tiny',
        node: [...nodes],
        initializer: initializers,
        input: Object.entries(inputs).map(([name, [type, shape]]) => valueInfo(name, type, shape)),
        output: Object.entries(outputs).map(([name, [type, shape]]) => valueInfo(name, type, shape))
      }
    })
  )

/** The same in a file of its own folder. */
export const tinyOnnxFile = (model: TinyOnnx): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'tributary-onnx-')), 'model.onnx')
  writeFileSync(file, tinyOnnx(model))
  return file
}

const valueInfo = (name: string, type: ElementType, shape: readonly (number | string)[]) => ({
  name,
  type: {
    value: {
      case: 'tensorType' as const,
      value: {
        elemType: CODES[type],
        shape: {
          dim: shape.map(dim => ({
            value:
              typeof dim === 'number'
                ? { case: 'dimValue' as const, value: BigInt(dim) }
                : { case: 'dimParam' as const, value: dim }
          }))
        }
      }
    }
  }
})
