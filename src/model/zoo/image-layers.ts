import { spread } from './spread.ts'
import type { Attributes, Value, ZooGraph } from './zoo-graph.ts'

type Pair = number | readonly [number, number]

export interface ConvolutionOptions {
  /** Height and width. @default 1 */
  readonly kernel?: Pair
  readonly stride?: number
  readonly pad?: Pair
  readonly groups?: number
  /** Without one where BatchNormalization follows. @default false */
  readonly bias?: boolean
  /**
   * Variance of the weights times their fan-in: 2 keeps the mean square through a Relu (He et al., 2015), 1 where none
   * follows. @default 2
   */
  readonly gain?: number
}

const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value)

/** Height and width after a window of `kernel` moved over `dims`. */
const windowed = (
  [, , height, width]: readonly number[],
  kernel: Pair,
  stride: number,
  pad: Pair
): readonly [number, number] => {
  const [kernelHeight, kernelWidth] = pair(kernel)
  const [padHeight, padWidth] = pair(pad)
  const steps = (size: number, window: number, around: number): number =>
    Math.floor((size + 2 * around - window) / stride) + 1
  return [steps(height!, kernelHeight, padHeight), steps(width!, kernelWidth, padWidth)]
}

const windowAttributes = (kernel: Pair, stride: number, pad: Pair): Attributes => ({
  kernel_shape: pair(kernel),
  pads: [...pair(pad), ...pair(pad)],
  strides: [stride, stride]
})

export const convolution = (
  graph: ZooGraph,
  path: string,
  x: Value,
  channels: number,
  { kernel = 1, stride = 1, pad = 0, groups = 1, bias = false, gain = 2 }: ConvolutionOptions = {}
): Value => {
  const [height, width] = windowed(x.dims, kernel, stride, pad)
  const fanIn = (x.dims[1]! / groups) * pair(kernel)[0] * pair(kernel)[1]
  const weight = graph.weight(`${path}.weight`, [channels, x.dims[1]! / groups, ...pair(kernel)], spread(gain / fanIn))
  const inputs = [x, weight]
  if (bias) inputs.push(graph.weight(`${path}.bias`, [channels], { low: -0.05, high: 0.05 }))
  graph.macs += fanIn * channels * height * width
  return graph.op(path, 'Conv', inputs, [x.dims[0]!, channels, height, width], {
    dilations: [1, 1],
    group: groups,
    ...windowAttributes(kernel, stride, pad)
  })
}

/**
 * Statistics near those of the data, so that the result is near standard. `scale` is the size of the learnt factor:
 * small on the last one of a residual branch, so that a deep sum does not grow.
 */
export const batchNorm = (
  graph: ZooGraph,
  path: string,
  x: Value,
  { scale = 1, epsilon = 1e-5 }: { readonly scale?: number; readonly epsilon?: number } = {}
): Value => {
  const channels = [x.dims[1]!]
  const inputs = [
    x,
    graph.weight(`${path}.weight`, channels, { low: 0.9 * scale, high: 1.1 * scale }),
    graph.weight(`${path}.bias`, channels, { low: -0.1 * scale, high: 0.1 * scale }),
    graph.weight(`${path}.running_mean`, channels, { low: -0.1, high: 0.1 }, false),
    graph.weight(`${path}.running_var`, channels, { low: 0.8, high: 1.2 }, false)
  ]
  return graph.op(path, 'BatchNormalization', inputs, x.dims, { epsilon: { float: epsilon }, momentum: { float: 0.9 } })
}

export const relu = (graph: ZooGraph, path: string, x: Value): Value => graph.op(path, 'Relu', [x], x.dims)

/** Relu up to 6, as exporters write it: a Clip with two constants. */
export const relu6 = (graph: ZooGraph, path: string, x: Value): Value =>
  graph.op(path, 'Clip', [x, graph.scalar(path, 0), graph.scalar(path, 6)], x.dims)

interface PoolOptions {
  readonly kernel: number
  readonly stride: number
  readonly pad?: number
}

export const maxPool = (graph: ZooGraph, path: string, x: Value, { kernel, stride, pad = 0 }: PoolOptions): Value =>
  graph.op(path, 'MaxPool', [x], [...x.dims.slice(0, 2), ...windowed(x.dims, kernel, stride, pad)], {
    ceil_mode: 0,
    ...windowAttributes(kernel, stride, pad)
  })

export const averagePool = (graph: ZooGraph, path: string, x: Value, { kernel, stride, pad = 0 }: PoolOptions): Value =>
  graph.op(path, 'AveragePool', [x], [...x.dims.slice(0, 2), ...windowed(x.dims, kernel, stride, pad)], {
    ceil_mode: 0,
    count_include_pad: 1,
    ...windowAttributes(kernel, stride, pad)
  })

export const concat = (graph: ZooGraph, path: string, parts: readonly Value[]): Value => {
  const [first] = parts
  const channels = parts.reduce((sum, { dims }) => sum + dims[1]!, 0)
  return graph.op(path, 'Concat', parts, [first!.dims[0]!, channels, ...first!.dims.slice(2)], { axis: 1 })
}

export const add = (graph: ZooGraph, path: string, a: Value, b: Value): Value => graph.op(path, 'Add', [a, b], a.dims)

/** A matrix of weights and a bias on each row: Gemm. */
export const fullyConnected = (graph: ZooGraph, path: string, x: Value, features: number, gain = 2): Value => {
  const fanIn = x.dims[1]!
  const weight = graph.weight(`${path}.weight`, [features, fanIn], spread(gain / fanIn))
  const bias = graph.weight(`${path}.bias`, [features], { low: -0.05, high: 0.05 })
  graph.macs += fanIn * features
  return graph.op(path, 'Gemm', [x, weight, bias], [x.dims[0]!, features], {
    alpha: { float: 1 },
    beta: { float: 1 },
    transB: 1
  })
}

/** The mean of each channel, flattened, then a class for each row of weights: how most image networks end. */
export const classify = (graph: ZooGraph, path: string, x: Value, classes: number): void => {
  const [batch, channels] = [x.dims[0]!, x.dims[1]!]
  const pooled = graph.op('avgpool', 'GlobalAveragePool', [x], [batch, channels, 1, 1])
  const flat = graph.op('', 'Flatten', [pooled], [batch, channels], { axis: 1 })
  graph.output('output', fullyConnected(graph, path, flat, classes, 1))
}
