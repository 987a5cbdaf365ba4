import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  type TensorShapeProto,
  TensorShapeProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { UserError } from '../../core/user-error.ts'
import { heldTensors, isExternal, type OnnxFile } from '../onnx-file.ts'
import { readOnnxFile } from './read-onnx-file.ts'

/** ReduceMax takes its axes as an input from here on, as an attribute before. */
const AXES_ARE_INPUT = 18

/**
 * Write a CTC model that returns, instead of the scores of all classes at every step, the best class and its score:
 * ArgMax and ReduceMax over the last axis. For PP-OCR recognition that is 480 bytes instead of 1 MB.
 *
 * Outputs: `class` int64 and `score`, both of the scores' shape without its last dimension.
 * @throws UserError when the model has not exactly one output of floats, or keeps weights in other files elsewhere
 */
export const reduceCtcOutput = async (modelFile: string, outFile: string): Promise<void> => {
  const file = await readOnnxFile(modelFile)
  requireWeightsInReach(file, outFile)
  const { graph } = file
  const { scores, elemType, shape } = scoresOf(file)
  const taken = new Set([...graph.node.flatMap(node => node.output), ...graph.input.map(input => input.name)])
  const free = (name: string): string => (taken.has(name) ? free(`${name}_`) : name)
  const axis = shape.dim.length - 1 // from the front: from the end is not allowed before opset 11
  const [classes, best, axes] = [free('class'), free('score'), free('class_axis')]
  const reduce = { opType: 'ReduceMax', name: free('best_score'), output: [best] }
  graph.node.push(
    create(NodeProtoSchema, {
      opType: 'ArgMax',
      name: free('best_class'),
      input: [scores],
      output: [classes],
      attribute: [integer('axis', axis), integer('keepdims', 0)]
    }),
    file.opset >= AXES_ARE_INPUT
      ? create(NodeProtoSchema, { ...reduce, input: [scores, axes], attribute: [integer('keepdims', 0)] })
      : create(NodeProtoSchema, {
          ...reduce,
          input: [scores],
          attribute: [integers('axes', [axis]), integer('keepdims', 0)]
        })
  )
  if (file.opset >= AXES_ARE_INPUT) {
    const { INT64 } = TensorProto_DataType
    graph.initializer.push(
      create(TensorProtoSchema, { name: axes, dataType: INT64, dims: [1n], int64Data: [BigInt(axis)] })
    )
  }
  const left = create(TensorShapeProtoSchema, { dim: shape.dim.slice(0, -1) })
  graph.output = [output(classes, TensorProto_DataType.INT64, left), output(best, elemType, left)]
  await writeFile(outFile, toBinary(ModelProtoSchema, file.model))
}

const scoresOf = ({ path, graph }: OnnxFile): { scores: string; elemType: number; shape: TensorShapeProto } => {
  const [only, ...more] = graph.output
  const type = only?.type?.value.case === 'tensorType' ? only.type.value.value : undefined
  const { FLOAT, FLOAT16, DOUBLE } = TensorProto_DataType
  const isScores = type !== undefined && [FLOAT, FLOAT16, DOUBLE].some(kind => kind === type.elemType)
  const rank = type?.shape?.dim.length ?? 0
  if (only === undefined || more.length > 0 || !isScores || rank < 2) {
    const given = graph.output.map(o => o.name).join(', ')
    throw new UserError(
      `${path}: a CTC model has one output of scores, [batch, steps, classes]; this one has: ${given}; only such a model can be reduced`
    )
  }
  return { scores: only.name, elemType: type.elemType, shape: type.shape! }
}

const requireWeightsInReach = ({ path, graph }: OnnxFile, outFile: string): void => {
  if (dirname(resolve(path)) === dirname(resolve(outFile))) return
  for (const tensor of heldTensors(graph)) {
    if (!isExternal(tensor)) continue
    throw new UserError(
      `${outFile}: ${path} keeps weights in other files, which are found beside it only; write into ${dirname(path)}`
    )
  }
}

const integer = (name: string, value: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) })

const integers = (name: string, values: readonly number[]): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints: values.map(BigInt) })

const output = (name: string, elemType: number, shape: TensorShapeProto): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType, shape } } })
  })
