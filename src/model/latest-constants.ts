import { create } from '@bufbuild/protobuf'
import { type GraphProto, type TensorProto, ValueInfoProtoSchema } from 'onnx-buf'
import { UserError } from '../core/user-error.ts'
import { constantTensor, isConstantNode } from './constant-tensor.ts'
import type { OnnxFile } from './onnx-file.ts'
import { tensorType } from './tensor-type.ts'

/**
 * The model with one constant for each name. Files that define one twice, as initializers, as Constant nodes or as both,
 * run in ONNX Runtime with a warning: the latest is taken, Constant nodes after all initializers, wherever it is read.
 * Such a constant it neither folds nor merges with what reads it, as if a user could still set it; so it is declared as
 * one that can be set, and the blocks compute what the whole computes.
 * @throws UserError when the definitions differ in type or shape, which the runtime refuses
 */
export const latestConstants = (file: OnnxFile): OnnxFile => {
  const { graph } = file
  const twice = definedTwice(graph)
  if (twice.size === 0) return file
  const latest = new Map<string, TensorProto>()
  for (const tensor of [...graph.initializer, ...graph.node.flatMap(node => constantTensor(node) ?? [])]) {
    const before = latest.get(tensor.name)
    if (twice.has(tensor.name) && before !== undefined) requireAlike(file, before, tensor)
    latest.set(tensor.name, tensor)
  }
  const listed = new Set(graph.input.map(input => input.name))
  const kept = [...twice].map(name => latest.get(name)!)
  const settable = kept
    .filter(({ name }) => !listed.has(name))
    .map(({ name, dataType, dims }) =>
      create(ValueInfoProtoSchema, { name, type: tensorType(dataType, dims.map(Number)) })
    )
  return {
    ...file,
    graph: {
      ...graph,
      initializer: [...graph.initializer.filter(({ name }) => !twice.has(name)), ...kept],
      node: graph.node.filter(node => !(isConstantNode(node) && twice.has(node.output[0] ?? ''))),
      input: [...graph.input, ...settable]
    },
    notes: [
      ...(file.notes ?? []),
      ...[...twice].map(name => `"${name}" is defined twice; ONNX Runtime takes the latest`)
    ]
  }
}

const definedTwice = (graph: GraphProto): ReadonlySet<string> => {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const tensor of [...graph.initializer, ...graph.node.flatMap(node => constantTensor(node) ?? [])]) {
    if (seen.has(tensor.name)) twice.add(tensor.name)
    seen.add(tensor.name)
  }
  return twice
}

const requireAlike = ({ path }: OnnxFile, a: TensorProto, b: TensorProto): void => {
  const [first, second] = [a, b].map(({ dataType, dims }) => `type ${dataType}, shape [${dims.join(', ')}]`)
  if (first === second) return
  throw new UserError(
    `${path}: "${a.name}" is defined twice, as ${first} and as ${second}, which ONNX Runtime refuses; export the model again`
  )
}
