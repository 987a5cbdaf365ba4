import { fromBinary } from '@bufbuild/protobuf'
import { type ModelProto, ModelProtoSchema } from 'onnx-buf'
import { UserError } from '../core/user-error.ts'
import { findDamage } from './find-damage.ts'
import { withLosslessText } from './lossless-text.ts'
import { recogniseFile } from './recognise-file.ts'

/** @throws UserError that says what the bytes are instead, or where they stop being a model */
export const parseOnnx = (path: string, bytes: Uint8Array): ModelProto => {
  if (bytes.length === 0) throw new UserError(`${path}: the file is empty; is the download complete?`)
  const model = parse(path, bytes)
  const isModel = model.graph !== undefined && (model.graph.node.length > 0 || model.graph.output.length > 0)
  if (isModel && model.opsetImport.length > 0) return model
  const kind = recogniseFile(bytes)
  throw new UserError(
    kind === undefined
      ? `${path}: not an ONNX model: no graph or no operator set inside; is it the file that was exported?`
      : `${path}: not an ONNX model: ${kind}`
  )
}

const parse = (path: string, bytes: Uint8Array): ModelProto => {
  try {
    return withLosslessText(() => fromBinary(ModelProtoSchema, bytes))
  } catch (error) {
    const kind = recogniseFile(bytes)
    if (kind !== undefined) throw new UserError(`${path}: not an ONNX model: ${kind}`)
    const where = findDamage(bytes) ?? (error as Error).message
    throw new UserError(
      `${path}: not an ONNX model, or cut short: ${where}, in a file of ${bytes.length} bytes; export or download it again`
    )
  }
}
