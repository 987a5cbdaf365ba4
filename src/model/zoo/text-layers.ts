import { spread } from './spread.ts'
import type { Value, ZooGraph } from './zoo-graph.ts'

/** Standard deviation of embeddings, as GPT-2 and BERT start them. */
const EMBEDDING_DEVIATION = 0.02

/** A row of the table for every index. */
export const gather = (graph: ZooGraph, path: string, table: Value, indices: Value): Value =>
  graph.op(path, 'Gather', [table, indices], [...indices.dims, table.dims[1]!], { axis: 0 })

export const embeddingTable = (graph: ZooGraph, path: string, rows: number, width: number): Value =>
  graph.weight(`${path}.weight`, [rows, width], spread(EMBEDDING_DEVIATION ** 2))

/** The table's first rows, one for each place in the sequence. */
export const positions = (graph: ZooGraph, path: string, rows: number, width: number, sequence: number): Value => {
  const indices = graph.constant(
    path,
    BigInt64Array.from({ length: sequence }, (_, i) => BigInt(i)),
    [1, sequence]
  )
  return gather(graph, path, embeddingTable(graph, path, rows, width), indices)
}

/** Variance of the weights times their fan-in: 1 keeps the variance (Glorot and Bengio, 2010). */
interface Gain {
  readonly gain?: number
}

const matrix = (
  graph: ZooGraph,
  path: string,
  from: number,
  to: number,
  gain: number
): { weight: Value; bias: Value } => ({
  weight: graph.weight(`${path}.weight`, [from, to], spread(gain / from)),
  bias: graph.weight(`${path}.bias`, [to], { low: -0.02, high: 0.02 })
})

/** A linear layer as exporters write torch.nn.Linear on sequences: MatMul, then Add. */
export const linear = (graph: ZooGraph, path: string, x: Value, features: number, { gain = 1 }: Gain = {}): Value => {
  const { weight, bias } = matrix(graph, path, x.dims.at(-1)!, features, gain)
  return add(graph, path, matMul(graph, path, x, weight), bias)
}

/** A linear layer as exporters write GPT-2's Conv1D: rows flattened, Gemm, shape restored. */
export const flattenedLinear = (
  graph: ZooGraph,
  path: string,
  x: Value,
  features: number,
  { gain = 1 }: Gain = {}
): Value => {
  const [batch, sequence, width] = x.dims as readonly [number, number, number]
  const { weight, bias } = matrix(graph, path, width, features, gain)
  const rows = reshape(graph, path, x, [batch * sequence, width])
  const product = graph.op(path, 'Gemm', [rows, weight, bias], [batch * sequence, features], {
    alpha: { float: 1 },
    beta: { float: 1 }
  })
  graph.macs += batch * sequence * width * features
  return reshape(graph, path, product, [batch, sequence, features])
}

export const matMul = (graph: ZooGraph, path: string, a: Value, b: Value): Value => {
  const dims = [...a.dims.slice(0, -1), b.dims.at(-1)!]
  graph.macs += dims.reduce((product, dim) => product * dim, 1) * a.dims.at(-1)!
  return graph.op(path, 'MatMul', [a, b], dims)
}

/** The first operand has the shape of the result. */
export const elementwise = (graph: ZooGraph, path: string, opType: string, a: Value, b: Value): Value =>
  graph.op(path, opType, [a, b], a.dims)

export const add = (graph: ZooGraph, path: string, a: Value, b: Value): Value =>
  elementwise(graph, path, 'Add', a.dims.length >= b.dims.length ? a : b, a.dims.length >= b.dims.length ? b : a)

export const reshape = (graph: ZooGraph, path: string, x: Value, dims: readonly number[]): Value =>
  graph.op(path, 'Reshape', [x, graph.integers(path, dims)], dims)

export const transpose = (graph: ZooGraph, path: string, x: Value, order: readonly number[]): Value =>
  graph.op(
    path,
    'Transpose',
    [x],
    order.map(axis => x.dims[axis]!),
    { perm: order }
  )

const normWeights = (graph: ZooGraph, path: string, width: number): readonly [Value, Value] => [
  graph.weight(`${path}.weight`, [width], { low: 0.9, high: 1.1 }),
  graph.weight(`${path}.bias`, [width], { low: -0.1, high: 0.1 })
]

/** The operator of opset 17. */
export const layerNorm = (graph: ZooGraph, path: string, x: Value): Value =>
  graph.op(path, 'LayerNormalization', [x, ...normWeights(graph, path, x.dims.at(-1)!)], x.dims, {
    axis: -1,
    epsilon: { float: 1e-5 }
  })

/** The same as exporters wrote it before opset 17: mean, centred, variance, scaled. */
export const decomposedLayerNorm = (graph: ZooGraph, path: string, x: Value): Value => {
  const [weight, bias] = normWeights(graph, path, x.dims.at(-1)!)
  const mean = (value: Value): Value =>
    graph.op(path, 'ReduceMean', [value], [...value.dims.slice(0, -1), 1], { axes: [-1], keepdims: 1 })
  const centred = elementwise(graph, path, 'Sub', x, mean(x))
  const variance = mean(elementwise(graph, path, 'Pow', centred, graph.scalar(path, 2)))
  const shifted = elementwise(graph, path, 'Add', variance, graph.scalar(path, 1e-12))
  const scaled = elementwise(graph, path, 'Div', centred, graph.op(path, 'Sqrt', [shifted], shifted.dims))
  return elementwise(graph, path, 'Add', elementwise(graph, path, 'Mul', scaled, weight), bias)
}

/** x/2 (1 + erf(x / sqrt 2)): Hendrycks and Gimpel, 2016. */
export const gelu = (graph: ZooGraph, path: string, x: Value): Value => {
  const with_ = (opType: string, value: Value, by: number): Value =>
    elementwise(graph, path, opType, value, graph.scalar(path, by))
  const scaled = with_('Div', x, Math.SQRT2)
  const raised = with_('Add', graph.op(path, 'Erf', [scaled], x.dims), 1)
  return with_('Mul', elementwise(graph, path, 'Mul', x, raised), 0.5)
}

/** The approximation by tanh that GPT-2 uses. */
export const tanhGelu = (graph: ZooGraph, path: string, x: Value): Value => {
  const with_ = (opType: string, value: Value, by: number): Value =>
    elementwise(graph, path, opType, value, graph.scalar(path, by))
  const half = with_('Mul', x, 0.5)
  const cubed = with_('Mul', with_('Pow', x, 3), 0.044715)
  const inner = with_('Mul', elementwise(graph, path, 'Add', x, cubed), Math.sqrt(2 / Math.PI))
  const raised = with_('Add', graph.op(path, 'Tanh', [inner], x.dims), 1)
  return elementwise(graph, path, 'Mul', half, raised)
}

export interface Heads {
  readonly query: Value
  readonly key: Value
  readonly value: Value
}

/**
 * Scaled dot-product attention (Vaswani et al., 2017) over heads.
 * @param heads each [batch, sequence, width]
 * @param mask added to the scores: 0 where one may look, the least float where not
 */
export const attention = (
  graph: ZooGraph,
  path: string,
  { query, key, value }: Heads,
  { count, mask, scale }: { readonly count: number; readonly mask: Value; readonly scale: 'Mul' | 'Div' }
): Value => {
  const [batch, sequence, width] = query.dims as readonly [number, number, number]
  const perHead = width / count
  const divided = (x: Value, order: readonly number[]): Value =>
    transpose(graph, path, reshape(graph, path, x, [batch, sequence, count, perHead]), order)
  const q = divided(query, [0, 2, 1, 3])
  const k = divided(key, [0, 2, 3, 1])
  const v = divided(value, [0, 2, 1, 3])
  const by = graph.scalar(path, scale === 'Mul' ? 1 / Math.sqrt(perHead) : Math.sqrt(perHead))
  const scores = elementwise(graph, path, 'Add', elementwise(graph, path, scale, matMul(graph, path, q, k), by), mask)
  const weights = graph.op(path, 'Softmax', [scores], scores.dims, { axis: -1 })
  const mixed = transpose(graph, path, matMul(graph, path, weights, v), [0, 2, 1, 3])
  return reshape(graph, path, mixed, [batch, sequence, width])
}
