import { type Value, ZooGraph } from '../zoo/zoo-graph.ts'

export interface SyntheticBlock {
  /** Multiply-adds. */
  readonly macs: number
  readonly weightBytes: number
}

/** Side of the square matrix that a block multiplies by. */
const SIDE = 256
/** Rows that one product may have: more would need too much memory at once. */
const MAX_ROWS = 8192
/** What a block's file holds besides its weights. */
const OVERHEAD = 2048

/** Multiply-adds of one row. */
export const MACS_A_ROW = SIDE * SIDE

/** The name of activation k: where the model is to be cut. */
export const activationName = (k: number): string => `act_${k}`

/**
 * A model that stands for another of which only sizes and times are known: block k reads activation k, does the asked
 * multiply-adds in matrix products, touches a weight of the asked size, and makes activation k + 1 of the asked bytes.
 * Every value that crosses depends on all that was computed before it, so nothing can be left out.
 * @param activations bytes of activation 0 .. K, at least one each: float32 elements where they divide, else single bytes
 */
export const syntheticGraph = (blocks: readonly SyntheticBlock[], activations: readonly number[]): ZooGraph => {
  const graph = new ZooGraph('synthetic')
  const shapes = activations.map(shapeOf)
  let x = graph.input(activationName(0), [shapes[0]!.elements], shapes[0]!.type)
  for (const [k, block] of blocks.entries()) {
    const value = compute(graph, `b${k}`, asFloats(graph, `b${k}.in`, x, shapes[k]!), block)
    x = graph.rename(spread(graph, `b${k}.out`, value, shapes[k + 1]!), activationName(k + 1))
  }
  graph.output(activationName(blocks.length), x, shapes.at(-1)!.type)
  return graph
}

interface Shape {
  readonly type: 'float32' | 'uint8'
  readonly elements: number
}

const shapeOf = (bytes: number): Shape => {
  const size = Math.max(1, Math.round(bytes))
  return size % 4 === 0 ? { type: 'float32', elements: size / 4 } : { type: 'uint8', elements: size }
}

const FLOAT = 1
const UINT8 = 2

const asFloats = (graph: ZooGraph, path: string, x: Value, { type }: Shape): Value =>
  type === 'float32' ? x : graph.op(path, 'Cast', [x], x.dims, { to: FLOAT })

/** The value in every element. */
const spread = (graph: ZooGraph, path: string, value: Value, { type, elements }: Shape): Value => {
  const size = graph.integers(`${path}.size`, [elements])
  if (type === 'float32') return graph.op(path, 'Expand', [value, size], [elements])
  const low = graph.constant(`${path}.low`, Float32Array.of(0), [])
  const high = graph.constant(`${path}.high`, Float32Array.of(255), [])
  const small = graph.op(path, 'Clip', [value, low, high], [1])
  return graph.op(path, 'Expand', [graph.op(path, 'Cast', [small], [1], { to: UINT8 }), size], [elements])
}

/** One number out of everything in x, by way of the asked work. */
const compute = (graph: ZooGraph, path: string, x: Value, { macs, weightBytes }: SyntheticBlock): Value => {
  const mean = graph.op(`${path}.mean`, 'ReduceMean', [x], [1], { keepdims: 1 })
  let value = graph.op(`${path}.weigh`, 'Add', [mean, touchedWeight(graph, path, mean, weightBytes)], [1])
  const factor = graph.constant(`${path}.factor`, Float32Array.of(1 / SIDE), [1, 1])
  const square = graph.op(
    `${path}.square`,
    'Expand',
    [factor, graph.integers(`${path}.side`, [SIDE, SIDE])],
    [SIDE, SIDE]
  )
  for (let left = Math.round(macs / MACS_A_ROW), i = 0; left > 0; i++) {
    const rows = Math.min(left, MAX_ROWS)
    const shape = graph.integers(`${path}.rows${i}`, [rows, SIDE])
    const state = graph.op(`${path}.state${i}`, 'Expand', [value, shape], [rows, SIDE])
    const product = graph.op(`${path}.product${i}`, 'MatMul', [state, square], [rows, SIDE])
    const flat = graph.op(
      `${path}.flat${i}`,
      'Reshape',
      [product, graph.integers(`${path}.all${i}`, [-1])],
      [rows * SIDE]
    )
    value = graph.op(`${path}.sum${i}`, 'ReduceMean', [flat], [1], { keepdims: 1 })
    left -= rows
  }
  return value
}

/** An element of the weight, chosen by the data: so the weight cannot be folded away. */
const touchedWeight = (graph: ZooGraph, path: string, value: Value, bytes: number): Value => {
  const size = Math.max(1, Math.floor((bytes - OVERHEAD) / 4))
  const weight = graph.weight(`${path}.weight`, [size], { low: -0.5, high: 0.5 })
  const none = graph.op(`${path}.none`, 'Mul', [value, graph.constant(`${path}.zero`, Float32Array.of(0), [1])], [1])
  const index = graph.op(`${path}.index`, 'Cast', [none], [1], { to: 7 })
  return graph.op(`${path}.touch`, 'Gather', [weight, index], [1], { axis: 0 })
}
