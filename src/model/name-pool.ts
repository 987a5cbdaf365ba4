import type { GraphProto, NodeProto } from 'onnx-buf'
import { bodiesOf } from './bodies-of.ts'

/** Names that are in use, so that new ones hide none: a body may not hide a name from outside either. */
export class NamePool {
  readonly #taken: Set<string>

  constructor(names: Iterable<string>) {
    this.#taken = new Set(names)
  }

  /** Every name in the graph and in its bodies: of tensors and of nodes. */
  static of(graph: GraphProto): NamePool {
    return new NamePool(namesIn(graph))
  }

  /** This name, or with a number behind it; taken from now on. */
  fresh(name: string): string {
    let free = name
    for (let i = 1; this.#taken.has(free); i++) free = `${name}_${i}`
    this.#taken.add(free)
    return free
  }
}

function* namesIn(graph: GraphProto): Iterable<string> {
  for (const { name } of [...graph.input, ...graph.output, ...graph.initializer]) yield name
  for (const { values } of graph.sparseInitializer) yield values?.name ?? ''
  yield* namesOfNodes(graph.node)
}

/** The same of nodes alone. */
export function* namesOfNodes(nodes: readonly NodeProto[]): Iterable<string> {
  for (const node of nodes) {
    yield node.name
    yield* node.input
    yield* node.output
    for (const body of bodiesOf(node)) yield* namesIn(body)
  }
}
