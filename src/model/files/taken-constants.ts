import type { GraphProto, TensorProto } from 'onnx-buf'
import { UserError } from '../../core/user-error.ts'
import { constantTensor, isConstantNode } from '../constant-tensor.ts'
import type { OnnxFile } from '../onnx-file.ts'
import type { OpenModel } from '../open-model.ts'
import { askWhichIsTaken, type Definition } from './ask-which-is-taken.ts'

/**
 * The model with one constant for each name. Files that define one twice, as initializers, as Constant nodes or as both,
 * run in ONNX Runtime with a warning. It takes one of them wherever the name is read, and which one depends on their
 * size and on where their data lie; so it is asked. Then it treats that
 * one as any other constant.
 *
 * A Constant node whose output is also listed as an input is to the runtime what an initializer of that name is, and
 * becomes one.
 * @throws UserError when the definitions differ in type or shape, which the runtime refuses
 */
export const takenConstants = async (file: OnnxFile, openModel: OpenModel): Promise<OnnxFile> => {
  const { graph } = file
  const listed = new Set(graph.input.map(input => input.name))
  const definitions = definitionsIn(graph)
  for (const all of definitions.values()) for (const { tensor } of all) requireAlike(file, all[0]!.tensor, tensor)
  const twice = new Map([...definitions].filter(([, all]) => all.length > 1))
  const inputNodes = [...definitions].filter(([name, [first]]) => first!.node !== undefined && listed.has(name))
  if (twice.size === 0 && inputNodes.length === 0) return file
  const taken = twice.size === 0 ? new Map<string, number>() : await askWhichIsTaken(file, twice, openModel)
  const kept = [...new Map([...twice, ...inputNodes])].map(([name, all]) => all[taken.get(name) ?? 0]!.tensor)
  const names = new Set(kept.map(({ name }) => name))
  return {
    ...file,
    graph: {
      ...graph,
      initializer: [...graph.initializer.filter(({ name }) => !names.has(name)), ...kept],
      node: graph.node.filter(node => !(isConstantNode(node) && names.has(node.output[0] ?? '')))
    },
    notes: [...(file.notes ?? []), ...[...twice].map(([name, all]) => noteOf(name, all, taken.get(name)!))]
  }
}

/** By name; the runtime makes initializers of Constant nodes and puts them behind the others. */
const definitionsIn = (graph: GraphProto): ReadonlyMap<string, readonly Definition[]> => {
  const all = new Map<string, Definition[]>()
  const add = (definition: Definition): void => {
    const { name } = definition.tensor
    const others = all.get(name)
    if (others === undefined) all.set(name, [definition])
    else others.push(definition)
  }
  for (const tensor of graph.initializer) add({ tensor })
  for (const node of graph.node) {
    const tensor = constantTensor(node)
    if (tensor !== undefined) add({ tensor, node })
  }
  return all
}

const requireAlike = ({ path }: OnnxFile, a: TensorProto, b: TensorProto): void => {
  const [first, second] = [a, b].map(({ dataType, dims }) => `type ${dataType}, shape [${dims.join(', ')}]`)
  if (first === second) return
  throw new UserError(
    `${path}: "${a.name}" is defined twice, as ${first} and as ${second}, which ONNX Runtime refuses; export the model again`
  )
}

/** `"k" is defined 3 times (2 initializers, 1 Constant node); ONNX Runtime takes initializer 2`. */
const noteOf = (name: string, all: readonly Definition[], taken: number): string => {
  const initializers = all.filter(({ node }) => node === undefined).length
  const nodes = all.length - initializers
  const counted = [
    ...(initializers === 0 ? [] : [`${initializers} initializer${initializers === 1 ? '' : 's'}`]),
    ...(nodes === 0 ? [] : [`${nodes} Constant node${nodes === 1 ? '' : 's'}`])
  ]
  const which = taken < initializers ? `initializer ${taken + 1}` : `Constant node ${taken - initializers + 1}`
  return `"${name}" is defined ${all.length} times (${counted.join(', ')}); ONNX Runtime takes ${which}`
}
