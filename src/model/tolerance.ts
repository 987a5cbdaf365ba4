import { type NodeProto, TensorProto_DataType as T } from 'onnx-buf'
import type { ElementType } from '../core/tensor.ts'
import type { StudiedModel } from './cut-model.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import { stepsFromFloats } from './made-from-floats.ts'
import { isDefaultDomain } from './onnx-file.ts'

/** How far an output of the chain may be from the whole's, and why so far. */
export interface Tolerance {
  readonly kind: 'exact' | 'float64' | 'float32' | 'float16' | 'bfloat16' | 'int8'
  /** Of the largest magnitude of the output. */
  readonly relative: number
  /**
   * Of one, or of the largest magnitude that goes into a block where that is less: a tiny output that is made from such
   * numbers, a probability of 1e-9 say, is no more exact than they are.
   */
  readonly absolute: number
  /** So many whole numbers more, of an integer that was made of floats. */
  readonly steps?: number
  readonly because: string
}

/**
 * Rounding is the only thing that may differ. An fp32 chain differs by another order of additions where a fusion was
 * parted. In fp16 and bf16 the runtime computes several operators in fp32 and rounds once, the chain rounds at each cut;
 * ten units in the last place (2^-11, 2^-8) are what that grows to on its way. In int8 a value beside a border between
 * two steps falls into the other step: a few of 255 steps.
 */
const TOLERANCES: Readonly<Record<Tolerance['kind'], Tolerance>> = {
  exact: { kind: 'exact', relative: 0, absolute: 0, because: 'integers, booleans and strings are not rounded' },
  float64: { kind: 'float64', relative: 1e-12, absolute: 1e-15, because: 'double precision' },
  float32: { kind: 'float32', relative: 1e-5, absolute: 1e-7, because: 'single precision, additions in another order' },
  float16: {
    kind: 'float16',
    relative: 1e-2,
    absolute: 1e-5,
    because: 'the model computes in half precision, which a cut rounds to'
  },
  bfloat16: {
    kind: 'bfloat16',
    relative: 4e-2,
    absolute: 1e-4,
    because: 'the model computes in bfloat16, which a cut rounds to'
  },
  int8: {
    kind: 'int8',
    relative: 5e-2,
    absolute: 1e-5,
    because: 'the model quantises activations, whose rounding may fall into the next step'
  }
}

const EXACT = new Set<ElementType>([
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string'
])

/**
 * What applies to an output of this name and type. The coarsest arithmetic in the model decides about floats, and about
 * integers that are made of them, by a cast or a quantiser: those may fall into the next step besides. Other integers are
 * exact.
 */
export const toleranceOf = (model: StudiedModel, name: string, type: ElementType): Tolerance => {
  if (!EXACT.has(type)) return lineOf(model, type)
  const steps = type === 'string' || type === 'bool' ? 0 : stepsFromFloats(model, name)
  if (steps === 0) return TOLERANCES.exact
  const line = lineOf(model)
  return { ...line, steps, because: `whole numbers made of floats that may fall into the next step; ${line.because}` }
}

/** @param type of floats; undefined for integers that are made of some */
const lineOf = ({ analysis, facts }: StudiedModel, type?: ElementType): Tolerance => {
  const { layers, consumers } = analysis
  // One that nothing reads makes an output, and coarsens no other.
  if (layers.some(({ node, writes }) => quantises(node) && writes.some(name => consumers.has(name))))
    return TOLERANCES.int8
  if (computesIn(T.BFLOAT16, analysis)) return TOLERANCES.bfloat16
  const has = (wanted: ElementType): boolean =>
    layers.some(({ writes }) => writes.some(name => facts.of(name).type === wanted))
  if (type === 'float16' || has('float16')) return TOLERANCES.float16
  const isDouble = (type === 'float64' || (type === undefined && has('float64'))) && !has('float32')
  return TOLERANCES[isDouble ? 'float64' : 'float32']
}

/** Activations, that is: weights that are stored in few bits are exact numbers. */
const quantises = ({ opType, domain }: NodeProto): boolean =>
  (isDefaultDomain(domain) || domain === 'com.microsoft') &&
  (/^(?:Dynamic)?QuantizeL(?:inear|STM)$/.test(opType) ||
    /^QLinear|^QAttention|^QGemm|Integer(?:ToFloat)?$/.test(opType))

/** JavaScript does not see such tensors, so it is what the model says of itself. */
const computesIn = (type: T, { file: { graph }, layers }: GraphAnalysis): boolean => {
  const isTo = (node: NodeProto): boolean =>
    node.opType === 'Cast' && node.attribute.some(a => a.name === 'to' && Number(a.i) === type)
  return graph.initializer.some(tensor => tensor.dataType === type) || layers.some(layer => isTo(layer.node))
}

/** `0.01 of the largest output, or 0.00001 (float16: the model …)`. */
export const describeTolerance = ({ kind, relative, absolute, steps, because }: Tolerance): string => {
  if (kind === 'exact') return `none (${because})`
  const more = steps === undefined ? '' : `, and ${steps} besides`
  return `${relative} of the largest output, or ${absolute}${more} (${kind}: ${because})`
}
