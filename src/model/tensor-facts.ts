import type { GraphProto } from 'onnx-buf'
import { madeUpTensor } from '../core/made-up-tensor.ts'
import { createRng } from '../core/rng.ts'
import { type Dimension, ELEMENT_TYPES, type ElementType, elementCount, type Tensor } from '../core/tensor.ts'
import { constantTensor } from './constant-tensor.ts'
import { ELEMENT_TYPE_OF } from './element-bits.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import type { InputShapes } from './input-shapes.ts'
import type { PortInfo } from './open-model.ts'
import { declaredDims } from './tensor-type.ts'

export type { InputShapes } from './input-shapes.ts'

/** What is known of one tensor. */
export interface TensorFact {
  /** Undefined when it may not cross a cut: a sequence, an optional, or a type that JavaScript cannot hold. */
  readonly type: ElementType | undefined
  /** The type in words, also where it may not cross. */
  readonly kind: string
  /**
   * What is true of every run, dynamic dimensions by name: declared for inputs, which are held to it, else inferred from
   * the inputs, whatever the model claims. Undefined when the rank is not known.
   */
  readonly shape: readonly Dimension[] | undefined
  /** At the given input shapes; undefined when it could not be found out. */
  readonly dims: readonly number[] | undefined
}

export interface TensorFacts {
  readonly of: (name: string) => TensorFact
  /** Bytes at the given shapes; 0 for what is not known. */
  readonly bytes: (name: string) => number
  /** The shapes that were used for the inputs. */
  readonly inputShapes: InputShapes
}

/** Seeded input at these shapes; undefined when some input is no tensor. */
export const feedsFor = (inputs: readonly PortInfo[], shapes: InputShapes, seed = 'probe'): Tensor[] | undefined => {
  const rng = createRng(seed)
  const feeds = inputs.map(({ name, type }) => {
    const dims = shapes.get(name)
    return dims === undefined || !isElementType(type) ? undefined : madeUpTensor(name, type, dims, rng.fork(name))
  })
  return feeds.every(feed => feed !== undefined) ? feeds : undefined
}

export const isElementType = (text: string): text is ElementType => Object.hasOwn(ELEMENT_TYPES, text)

/** What all that was found out says of each tensor. */
export const tableOf = (
  { file }: GraphAnalysis,
  asIs: ReadonlyMap<string, PortInfo>,
  concrete: ReadonlyMap<string, PortInfo>,
  seen: ReadonlyMap<string, readonly number[]>,
  inputShapes: InputShapes
): TensorFacts => {
  const held = file.graph.node.flatMap(node => constantTensor(node) ?? [])
  const weights = new Map([...file.graph.initializer, ...held].map(t => [t.name, t] as const))
  const inputs = new Map(file.graph.input.map(input => [input.name, input]))
  const claimed = claimedDims(file.graph)
  const of = (name: string): TensorFact => {
    const weight = weights.get(name)
    if (weight !== undefined) {
      const dims = weight.dims.map(Number)
      const type = ELEMENT_TYPE_OF.get(weight.dataType)
      return { type, kind: type ?? 'other', shape: dims, dims }
    }
    const input = inputs.get(name)
    if (input?.type?.value.case === 'tensorType') {
      const type = ELEMENT_TYPE_OF.get(input.type.value.value.elemType)
      return { type, kind: type ?? 'other', shape: declaredDims(input.type), dims: inputShapes.get(name) }
    }
    const info = asIs.get(name)
    const type = info !== undefined && isElementType(info.type) ? info.type : undefined
    const shape = info === undefined || info.shape.length === 0 ? undefined : info.shape
    const kind = info?.isTensor === false || input !== undefined ? 'not a tensor' : info?.type || 'unknown'
    return { type, kind, shape, dims: seen.get(name) ?? numbers(concrete.get(name)?.shape) ?? claimed.get(name) }
  }
  const bytes = (name: string): number => {
    const { type, dims } = of(name)
    // A string takes at least its length; other types count as if they were floats.
    return dims === undefined ? 0 : elementCount(dims) * (type === undefined ? 4 : ELEMENT_TYPES[type] || 4)
  }
  return { of, bytes, inputShapes }
}

/** What a claim may say without being nonsense. */
const MAX_CLAIM = 2 ** 31

/** For sizes that nothing else tells, what the model says of them. */
const claimedDims = (graph: GraphProto): ReadonlyMap<string, readonly number[]> =>
  new Map(
    [...graph.output, ...graph.valueInfo].flatMap(({ name, type }) => {
      const dims = type === undefined ? undefined : numbers(declaredDims(type))
      return dims === undefined || elementCount(dims) > MAX_CLAIM ? [] : [[name, dims] as const]
    })
  )

const numbers = (shape: readonly Dimension[] | undefined): readonly number[] | undefined =>
  shape !== undefined && shape.length > 0 && shape.every(d => typeof d === 'number') ? shape : undefined
