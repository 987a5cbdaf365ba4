import type { GraphProto, NodeProto } from 'onnx-buf'
import { UserError } from '../core/user-error.ts'
import { bodiesOf } from './bodies-of.ts'
import { FunctionTable, functionName } from './function-table.ts'
import { isDefaultDomain, type OnnxFile } from './onnx-file.ts'

/** A node of the graph, with everything it reads. */
export interface Layer {
  readonly node: NodeProto
  /** Position in the file, for names in messages. */
  readonly index: number
  /** Tensors it reads: its inputs that are not left empty, and what its bodies capture from outside. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/**
 * The model in a fixed topological order. `layers` depend on some input and are what is cut; `constants` do not, and go
 * into every block that needs them.
 */
export interface GraphAnalysis {
  readonly file: OnnxFile
  readonly layers: readonly Layer[]
  readonly constants: readonly Layer[]
  /** Initializers, and what constants write. */
  readonly constantNames: ReadonlySet<string>
  /** Inputs that must be fed: not those that an initializer fills. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Which layer writes a tensor; constants and inputs are absent. */
  readonly producer: ReadonlyMap<string, number>
  /** Which layers read a tensor, ascending. */
  readonly consumers: ReadonlyMap<string, readonly number[]>
}

/** Operators whose result differs from run to run: never copied, never folded. */
const RANDOM = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'Dropout'
])

/**
 * Order the nodes, tell constants from layers, find who writes and reads what.
 * @param outputs of the model, those that are wanted
 * @throws UserError naming the node when a tensor comes from nowhere, is written twice, or the nodes form a cycle
 */
export const analyseGraph = (
  file: OnnxFile,
  outputs: readonly string[] = file.graph.output.map(output => output.name)
): GraphAnalysis => {
  const { graph } = file
  const functions = new FunctionTable(file.model)
  const initializers = new Set([
    ...graph.initializer.map(t => t.name),
    ...graph.sparseInitializer.map(t => t.values?.name ?? '')
  ])
  const inputs = graph.input.map(input => input.name).filter(name => !initializers.has(name))
  const ordered = alive(outputs, order(file, graph.node.map(toLayer), new Set([...inputs, ...initializers])))
  const constantNames = new Set(initializers)
  const layers: Layer[] = []
  const constants: Layer[] = []
  for (const layer of ordered) {
    const isConstant = !isRandom(layer.node, functions) && layer.reads.every(name => constantNames.has(name))
    if (isConstant) for (const name of layer.writes) constantNames.add(name)
    ;(isConstant ? constants : layers).push(layer)
  }
  const producer = new Map(layers.flatMap((layer, i) => layer.writes.map(name => [name, i] as const)))
  const consumers = new Map<string, number[]>()
  for (const [i, layer] of layers.entries()) {
    for (const name of layer.reads) {
      const readers = consumers.get(name)
      if (readers === undefined) consumers.set(name, [i])
      else readers.push(i)
    }
  }
  for (const name of outputs) {
    if (!producer.has(name) && !constantNames.has(name) && !inputs.includes(name))
      throw new UserError(`${file.path}: nothing writes the output "${name}"`)
  }
  return { file, layers, constants, constantNames, inputs, outputs, producer, consumers }
}

/** Without the nodes that lead to no output. */
const alive = (outputs: readonly string[], ordered: readonly Layer[]): Layer[] => {
  const needed = new Set(outputs)
  const kept: Layer[] = []
  for (const layer of ordered.toReversed()) {
    if (!layer.writes.some(name => needed.has(name))) continue
    kept.unshift(layer)
    for (const name of layer.reads) needed.add(name)
  }
  return kept
}

const toLayer = (node: NodeProto, index: number): Layer => ({
  node,
  index,
  reads: [...new Set([...node.input.filter(name => name !== ''), ...captured(node)])],
  writes: node.output.filter(name => name !== '')
})

/** What the bodies of a node (If, Loop, Scan) read from outside themselves. */
export const captured = (node: NodeProto): string[] => bodiesOf(node).flatMap(freeNames)

const freeNames = (body: GraphProto): string[] => {
  const defined = new Set([
    ...body.input.map(i => i.name),
    ...body.initializer.map(t => t.name),
    ...body.sparseInitializer.map(t => t.values?.name ?? ''),
    ...body.node.flatMap(node => node.output)
  ])
  const read = [...body.node.flatMap(node => [...node.input, ...captured(node)]), ...body.output.map(o => o.name)]
  return [...new Set(read)].filter(name => name !== '' && !defined.has(name))
}

const isRandom = (node: NodeProto, functions: FunctionTable, callers: readonly NodeProto[] = []): boolean => {
  if (callers.includes(node)) return false // a function that calls itself is for the runtime to refuse
  if (isDefaultDomain(node.domain) && RANDOM.has(node.opType)) {
    // Dropout draws only in training mode, which is its third input.
    return node.opType !== 'Dropout' || (node.input[2] ?? '') !== ''
  }
  const body = functions.called(node)?.node ?? []
  const bodies = bodiesOf(node).flatMap(b => b.node)
  return [...body, ...bodies].some(inner => isRandom(inner, functions, [...callers, node]))
}

/** Kahn's algorithm; of the nodes that are ready, the one that stands first in the file goes first. */
const order = (file: OnnxFile, layers: readonly Layer[], given: ReadonlySet<string>): Layer[] => {
  const writer = new Map<string, number>()
  for (const layer of layers) {
    for (const name of layer.writes) {
      if (writer.has(name) || given.has(name))
        throw new UserError(`${file.path}: node ${whereIs(file, layer)} writes "${name}", which exists already`)
      writer.set(name, layer.index)
    }
  }
  const readers: number[][] = layers.map(() => [])
  const missing = layers.map(layer => {
    const from = new Set<number>()
    for (const name of layer.reads) {
      const source = writer.get(name)
      if (source !== undefined) from.add(source)
      else if (!given.has(name))
        throw new UserError(`${file.path}: node ${whereIs(file, layer)} reads "${name}", which nothing writes`)
    }
    for (const source of from) readers[source]!.push(layer.index)
    return from.size
  })
  return takeInOrder(file, layers, readers, missing)
}

const takeInOrder = (
  file: OnnxFile,
  layers: readonly Layer[],
  readers: readonly number[][],
  missing: number[]
): Layer[] => {
  const ready = new MinHeap()
  for (const [i, count] of missing.entries()) if (count === 0) ready.push(i)
  const ordered: Layer[] = []
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    ordered.push(layers[next]!)
    for (const reader of readers[next]!) if (--missing[reader]! === 0) ready.push(reader)
  }
  if (ordered.length === layers.length) return ordered
  const stuck = layers.find(({ index }) => missing[index]! > 0)!
  throw new UserError(`${file.path}: node ${whereIs(file, stuck)} is part of a cycle`)
}

/** `#12 Conv "features.0"`: enough to find the node in a viewer; without the number inside of bodies and functions. */
export const label = (node: NodeProto, index?: number): string =>
  `${index === undefined ? '' : `#${index} `}${functionName(node)}${node.name === '' ? '' : ` "${node.name}"`}`

/** The same of a node that may have been prepared: where it came from. */
const whereIs = ({ origins }: OnnxFile, { node, index }: Layer): string => origins?.get(node) ?? label(node, index)

/** Smallest number first. */
class MinHeap {
  readonly #items: number[] = []

  push(item: number): void {
    const items = this.#items
    let i = items.push(item) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (items[parent]! <= item) break
      items[i] = items[parent]!
      i = parent
    }
    items[i] = item
  }

  pop(): number | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (first === undefined || last === undefined || items.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++
      if (items[child]! >= last) break
      items[i] = items[child]!
      i = child
    }
    items[i] = last
    return first
  }
}
