import type { GraphProto, NodeProto } from 'onnx-buf'

/** The graphs that a node holds: branches of an If, the body of a Loop or Scan. */
export const bodiesOf = (node: NodeProto): readonly GraphProto[] =>
  node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]))
