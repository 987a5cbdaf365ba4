import type { GraphProto, NodeProto, ValueInfoProto } from 'onnx-buf'
import { ELEMENT_TYPE_OF } from './element-bits.ts'
import { captured } from './graph-analysis.ts'

/**
 * The part of a graph that leads to some of its outputs: without the other outputs, the nodes that lead to them alone, and
 * inputs of kinds that cannot be fed and that nothing else reads. All else is as it was.
 */
export const leadingTo = (graph: GraphProto, isWanted: (output: ValueInfoProto) => boolean): GraphProto => {
  const output = graph.output.filter(isWanted)
  const writers = new Map<string, NodeProto[]>()
  for (const node of graph.node)
    for (const name of node.output) {
      const others = writers.get(name)
      if (others === undefined) writers.set(name, [node])
      else others.push(node)
    }
  const needed = new Set<string>()
  const kept = new Set<NodeProto>()
  const open = output.map(({ name }) => name)
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name)) continue
    needed.add(name)
    for (const node of writers.get(name) ?? []) {
      if (kept.has(node)) continue
      kept.add(node)
      open.push(...node.input, ...captured(node))
    }
  }
  const node = graph.node.filter(n => kept.has(n))
  const input = graph.input.filter(info => travels(info) || needed.has(info.name))
  return { ...graph, node, input, output }
}

/** It is declared as a tensor that JavaScript can hold. */
export const travels = ({ type }: ValueInfoProto): boolean =>
  type?.value.case === 'tensorType' && ELEMENT_TYPE_OF.has(type.value.value.elemType)
