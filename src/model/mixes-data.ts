import type { NodeProto } from 'onnx-buf'
import { isDefaultDomain } from './onnx-file.ts'

/** What is known of what a node reads and makes. */
export interface NodeFacts {
  /** Undefined where the rank is not known. */
  readonly rankOf: (name: string) => number | undefined
  /** Undefined for what is no constant of integers. */
  readonly integersOf: (name: string) => readonly number[] | undefined
}

/** With an attribute `axis`, and what it is where it is not given. */
const ALONG_AXIS: ReadonlyMap<string, number> = new Map([
  ...['Softmax', 'LogSoftmax', 'Hardmax', 'TopK', 'LpNormalization'].map(type => [type, -1] as const),
  ...['ArgMax', 'ArgMin'].map(type => [type, 0] as const),
  ...['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization'].map(type => [type, -1] as const)
])

/** Of MeanVarianceNormalization, where they are not given. */
const MEAN_AXES = [0, 2, 3]

/**
 * Whether an operator of ONNX makes one of what lies along the first dimension: a sum, a mean, an order over all data that are run
 * together. Where the axis is not known, it counts as the first. Axes: an attribute or an input, by the operator's version.
 */
export const mixesData = (node: NodeProto, facts: NodeFacts): boolean => {
  const { opType } = node
  if (!isDefaultDomain(node.domain)) return false
  if (opType === 'BatchNormalization') return integerOf(node, 'training_mode') === 1
  const axes = axesOf(node, facts)
  if (axes === undefined) return false
  if (axes === 'unknown') return true
  const rank = facts.rankOf(node.input[0]!) ?? facts.rankOf(node.output[0]!)
  return axes.some(axis => axis === 0 || (axis < 0 && (rank === undefined || axis + rank === 0)))
}

/** Along which it works; undefined: along none. */
const axesOf = (node: NodeProto, facts: NodeFacts): readonly number[] | 'unknown' | undefined => {
  const { opType } = node
  if (opType === 'MeanVarianceNormalization') return integersOf(node, 'axes') ?? MEAN_AXES
  if (opType === 'CumSum') return facts.integersOf(node.input[1]!) ?? 'unknown'
  if (opType.startsWith('Reduce')) return reducedAxes(node, facts)
  const usual = ALONG_AXIS.get(opType)
  return usual === undefined ? undefined : [integerOf(node, 'axis') ?? usual]
}

/** None given: all of them, unless it says that it does nothing then. */
const reducedAxes = (node: NodeProto, facts: NodeFacts): readonly number[] | 'unknown' | undefined => {
  const input = node.input[1] ?? ''
  const given = input === '' ? (integersOf(node, 'axes') ?? []) : facts.integersOf(input)
  if (given === undefined) return 'unknown'
  if (given.length > 0) return given
  return integerOf(node, 'noop_with_empty_axes') === 1 ? undefined : [0]
}

const integerOf = ({ attribute }: NodeProto, name: string): number | undefined => {
  const found = attribute.find(a => a.name === name)
  return found === undefined ? undefined : Number(found.i)
}

const integersOf = ({ attribute }: NodeProto, name: string): readonly number[] | undefined =>
  attribute.find(a => a.name === name)?.ints.map(Number)
