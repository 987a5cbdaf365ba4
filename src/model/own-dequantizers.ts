import { type NodeProto, NodeProtoSchema } from 'onnx-buf'
import { constantTensor } from './constant-tensor.ts'
import { isDequantizer } from './dequantized-weights.ts'
import { captured, label } from './graph-analysis.ts'
import { messageWith } from './message-with.ts'
import { NamePool } from './name-pool.ts'
import type { OnnxFile } from './onnx-file.ts'

/**
 * The model with a DequantizeLinear of its own for every reader of a quantised activation, right before it, as the runtime
 * does it: so it is the activation in few bits that crosses a cut, and a group of Q, DQ and operator is not parted because
 * it reads what another one reads too. Weights stay shared: a block has its own anyway.
 */
export const ownDequantizers = (file: OnnxFile): OnnxFile => {
  const { graph } = file
  if (!graph.node.some(isDequantizer)) return file
  const constants = new Set([
    ...graph.initializer.map(tensor => tensor.name),
    ...graph.node.flatMap(node => constantTensor(node)?.name ?? [])
  ])
  const shared = new Map(
    graph.node
      .filter(node => isDequantizer(node) && !constants.has(node.input[0] ?? ''))
      .map(node => [node.output[0] ?? '', node])
  )
  // Outputs, and what bodies capture, keep the first one.
  const taken = new Set([...graph.output.map(output => output.name), ...graph.node.flatMap(captured)])
  const pool = NamePool.of(graph)
  const origins = new Map(file.origins ?? graph.node.map((node, i) => [node, label(node, i)] as const))
  const node = graph.node.flatMap(reader => {
    const copies: NodeProto[] = []
    const input = reader.input.map(name => {
      const dequantizer = shared.get(name)
      if (dequantizer === undefined || !taken.has(name)) {
        taken.add(name)
        return name
      }
      const output = [pool.fresh(`${name}/again`)]
      const copy = messageWith(NodeProtoSchema, dequantizer, { name: pool.fresh(`${name}/again`), output })
      origins.set(copy, origins.get(dequantizer) ?? '')
      copies.push(copy)
      return output[0]!
    })
    if (copies.length === 0) return [reader]
    const rewired = messageWith(NodeProtoSchema, reader, { input })
    origins.set(rewired, origins.get(reader) ?? '')
    return [...copies, rewired]
  })
  return { ...file, graph: { ...graph, node }, origins }
}
