import type { FunctionProto, ModelProto, NodeProto } from 'onnx-buf'
import { bodiesOf } from './bodies-of.ts'

type Called = Pick<NodeProto, 'domain' | 'opType' | 'overload'>

/** The functions that a model brings along, by what calls them: domain, name and, since version 10 of the format, overload. */
export class FunctionTable {
  readonly #functions: ReadonlyMap<string, FunctionProto>
  readonly #names: ReadonlySet<string>

  constructor({ functions }: Pick<ModelProto, 'functions'>) {
    // Of two with one key the runtime takes the later.
    this.#functions = new Map(functions.map(f => [keyOf({ ...f, opType: f.name }), f]))
    this.#names = new Set(functions.map(f => keyOf({ domain: f.domain, opType: f.name, overload: '' })))
  }

  called(node: Called): FunctionProto | undefined {
    return this.#functions.get(keyOf(node))
  }

  /** There are functions of this name, whatever their overload. */
  knows({ domain, opType }: Called): boolean {
    return this.#names.has(keyOf({ domain, opType, overload: '' }))
  }

  /** What these nodes call, what that calls in turn, and what is called in bodies, in the model's order; each once. */
  reachedFrom(nodes: readonly NodeProto[]): FunctionProto[] {
    const reached = new Set<FunctionProto>()
    const visit = (node: NodeProto): void => {
      const called = this.called(node)
      if (called !== undefined && !reached.has(called)) {
        reached.add(called)
        called.node.forEach(visit)
      }
      for (const body of bodiesOf(node)) body.node.forEach(visit)
    }
    nodes.forEach(visit)
    return [...this.#functions.values()].filter(f => reached.has(f))
  }
}

/** `mine::Scale:fast`, as it is said in messages. */
export const functionName = ({ domain, opType, overload }: Called): string =>
  `${domain === '' ? '' : `${domain}::`}${opType}${overload === '' ? '' : `:${overload}`}`

/** No name holds a line feed. The default domain has two names. */
const keyOf = ({ domain, opType, overload }: Called): string =>
  [domain === 'ai.onnx' ? '' : domain, opType, overload].join('\n')
