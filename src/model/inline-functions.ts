import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema
} from 'onnx-buf'
import { UserError } from '../core/user-error.ts'
import { bodiesOf } from './bodies-of.ts'
import { FunctionTable, functionName } from './function-table.ts'
import { label } from './graph-analysis.ts'
import { messageWith } from './message-with.ts'
import { NamePool } from './name-pool.ts'
import { isDefaultDomain, type OnnxFile } from './onnx-file.ts'

/**
 * The model with the bodies of its functions in place of the calls, so that it can be cut inside of them: what ONNX
 * Runtime does itself when it loads a model, in the operator versions that the model imports.
 *
 * Calls in the domains whose operators the runtime has kernels for stay calls: there it prefers its kernel to the body.
 * @throws UserError naming the node when a function calls itself, or is not there
 */
export const inlineFunctions = (file: OnnxFile): OnnxFile => {
  const { model, graph } = file
  if (model.functions.length === 0) return file
  const inliner = new Inliner(file)
  const node = inliner.all(graph.node)
  if (!inliner.inlined) return file
  const imported = new Set(model.opsetImport.map(({ domain }) => domain))
  const missing = [...inliner.domains].filter(([domain]) => !imported.has(domain) && !isDefaultDomain(domain))
  const opsetImport = [
    ...model.opsetImport,
    ...missing.map(([domain, version]) => create(OperatorSetIdProtoSchema, { domain, version }))
  ]
  const notes = [...(file.notes ?? []), ...inliner.notes]
  return { ...file, model: { ...model, opsetImport }, graph: { ...graph, node }, origins: inliner.origins, notes }
}

/** Domains of operators that ONNX Runtime (1.30) brings kernels for; none of their sub-domains that are not here. */
const KERNEL_DOMAINS = new Set([
  ...['', 'ai.onnx', 'ai.onnx.ml', 'ai.onnx.training', 'ai.onnx.preview', 'ai.onnx.preview.training'],
  ...['com.microsoft', 'com.microsoft.nchwc', 'com.ms.internal.nhwc']
])

/** What a call that stayed one does by its function's body, in the names of the call; for what it costs. */
export const bodyOfCall = (file: OnnxFile, call: NodeProto): NodeProto[] => new Inliner(file, new Set()).all([call])

/** One call on the way to a node: what is called, by whom. */
interface Call {
  readonly fn: FunctionProto
  readonly name: string
  /** Names of the function's body, as they are called outside. */
  readonly names: Map<string, string>
  readonly attributes: ReadonlyMap<string, AttributeProto>
  readonly prefix: string
}

class Inliner {
  readonly origins = new Map<NodeProto, string>()
  /** Operator sets that inlined bodies need. */
  readonly domains = new Map<string, bigint>()
  readonly notes = new Set<string>()
  inlined = false
  readonly #file: OnnxFile
  readonly #table: FunctionTable
  readonly #pool: NamePool

  readonly #kept: ReadonlySet<string>

  /** @param kept domains in which calls stay calls */
  constructor(file: OnnxFile, kept: ReadonlySet<string> = KERNEL_DOMAINS) {
    this.#file = file
    this.#kept = kept
    this.#table = new FunctionTable(file.model)
    this.#pool = NamePool.of(file.graph)
  }

  /** The nodes of the model's own graph. */
  all(nodes: readonly NodeProto[]): NodeProto[] {
    return nodes.flatMap((node, index) => this.#expand(node, this.#file.origins?.get(node) ?? label(node, index), []))
  }

  /** @param calls that led here, outermost first */
  #expand(node: NodeProto, origin: string, calls: readonly Call[]): NodeProto[] {
    const fn = this.#kept.has(node.domain) ? undefined : this.#called(node, origin, calls)
    if (fn !== undefined) return this.#inline(node, fn, origin, calls)
    this.#refuseUnknown(node, origin)
    const kept = this.#withBodies(node, origin, calls)
    this.origins.set(kept, origin)
    return [kept]
  }

  /**
   * Of a call inside of a function ONNX Runtime (1.30) forgets the overload: where there is a function without one, it
   * takes that, and so do we, since the blocks are to compute what the whole computes.
   */
  #called(node: NodeProto, origin: string, calls: readonly Call[]): FunctionProto | undefined {
    const named = this.#table.called(node)
    if (calls.length === 0 || node.overload === '') return named
    const plain = this.#table.called({ ...node, overload: '' })
    if (plain === undefined) return named
    this.notes.add(`node ${origin}: ONNX Runtime takes ${functionName({ ...node, overload: '' })} there, and so do we`)
    return plain
  }

  #withBodies(node: NodeProto, origin: string, calls: readonly Call[]): NodeProto {
    if (bodiesOf(node).length === 0) return node
    const before = this.inlined
    this.inlined = false
    const inside = (body: GraphProto): GraphProto =>
      messageWith(GraphProtoSchema, body, {
        node: body.node.flatMap(inner => this.#expand(inner, `${origin} > ${label(inner)}`, calls))
      })
    const attribute = node.attribute.map(a =>
      messageWith(AttributeProtoSchema, a, {
        graphs: a.graphs.map(inside),
        ...(a.g === undefined ? {} : { g: inside(a.g) })
      })
    )
    const changed = this.inlined
    this.inlined ||= before
    return changed ? messageWith(NodeProtoSchema, node, { attribute }) : node
  }

  #inline(node: NodeProto, fn: FunctionProto, origin: string, calls: readonly Call[]): NodeProto[] {
    const name = functionName({ ...node, overload: fn.overload })
    if (calls.some(call => call.fn === fn)) {
      const way = [...calls.map(call => call.name), name].join(' > ')
      throw new UserError(
        `${this.#file.path}: node ${origin} calls a function that calls itself (${way}), which ONNX does not allow; export the model again`
      )
    }
    this.inlined = true
    for (const { domain, version } of fn.opsetImport) this.domains.set(domain, version)
    const { names, handedThrough } = this.#bind(node, fn)
    const attributes = new Map([...fn.attributeProto, ...node.attribute].map(a => [a.name, a]))
    const prefix = node.name || node.output.find(output => output !== '') || node.opType
    const call: Call = { fn, name, names, attributes, prefix }
    const inner = fn.node.flatMap(inside =>
      this.#expand(this.#rewrite(inside, call, names), `${origin} > ${label(inside)}`, [...calls, call])
    )
    for (const identity of handedThrough) this.origins.set(identity, origin)
    return [...inner, ...handedThrough]
  }

  /** What the names of a function's inputs and outputs stand for; outputs that stand for two things are copied. */
  #bind({ input, output }: NodeProto, fn: FunctionProto) {
    const names = new Map<string, string>(fn.input.map((formal, i) => [formal, input[i] ?? '']))
    const handedThrough: NodeProto[] = []
    for (const [i, formal] of fn.output.entries()) {
      const actual = output[i] ?? ''
      if (actual === '') continue
      const bound = names.get(formal)
      if (bound === undefined) names.set(formal, actual)
      else handedThrough.push(create(NodeProtoSchema, { opType: 'Identity', input: [bound], output: [actual] }))
    }
    return { names, handedThrough }
  }

  /** A node of a function's body, in the names and with the attributes of one call. */
  #rewrite(node: NodeProto, call: Call, names: Map<string, string>): NodeProto {
    const outside = (name: string): string => {
      if (name === '') return ''
      if (!names.has(name)) names.set(name, this.#pool.fresh(`${call.prefix}/${name}`))
      return names.get(name)!
    }
    const attribute = node.attribute.flatMap(a => {
      const given = a.refAttrName === '' ? a : call.attributes.get(a.refAttrName)
      if (given === undefined) return [] // optional, and left out by the caller
      const graphs = given.graphs.map(body => this.#rewriteBody(body, call, names))
      const g = given.g === undefined ? {} : { g: this.#rewriteBody(given.g, call, names) }
      return [messageWith(AttributeProtoSchema, given, { name: a.name, refAttrName: undefined, graphs, ...g })]
    })
    return messageWith(NodeProtoSchema, node, {
      name: this.#pool.fresh(`${call.prefix}/${node.name || node.opType}`),
      input: node.input.map(outside),
      output: node.output.map(outside),
      attribute
    })
  }

  /** What a body defines is its own; what it reads from outside has the names of the call. */
  #rewriteBody(body: GraphProto, call: Call, outer: ReadonlyMap<string, string>): GraphProto {
    const names = new Map(outer)
    const own = (name: string): string => {
      if (name === '') return ''
      names.set(name, this.#pool.fresh(`${call.prefix}/${name}`))
      return names.get(name)!
    }
    const input = body.input.map(info => messageWith(ValueInfoProtoSchema, info, { name: own(info.name) }))
    const renamed = (tensor: TensorProto): TensorProto =>
      messageWith(TensorProtoSchema, tensor, { name: own(tensor.name) })
    const initializer = body.initializer.map(renamed)
    const sparseInitializer = body.sparseInitializer.map(sparse =>
      sparse.values === undefined
        ? sparse
        : messageWith(SparseTensorProtoSchema, sparse, { values: renamed(sparse.values) })
    )
    for (const { output } of body.node) output.forEach(own)
    const node = body.node.map(inner => this.#rewrite(inner, call, names))
    const output = body.output.map(info =>
      messageWith(ValueInfoProtoSchema, info, { name: names.get(info.name) ?? info.name })
    )
    return messageWith(GraphProtoSchema, body, { input, initializer, sparseInitializer, node, output, valueInfo: [] })
  }

  #refuseUnknown(node: NodeProto, origin: string): void {
    if (!this.#table.knows(node) || this.#table.called(node) !== undefined) return
    throw new UserError(
      `${this.#file.path}: node ${origin} calls ${functionName(node)}, an overload that the model does not bring; export the model again`
    )
  }
}
