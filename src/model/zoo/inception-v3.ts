import {
  averagePool,
  batchNorm,
  type ConvolutionOptions,
  classify,
  concat,
  convolution,
  maxPool,
  relu
} from './image-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

/** Inception-v3 (Szegedy et al., 2016, arXiv 1512.00567) for 299 x 299 images, as torchvision has it, without the auxiliary head. */
export const inceptionV3 = (): ZooGraph => {
  const graph = new ZooGraph('inception')
  let x = stem(graph, graph.input('input', [1, 3, 299, 299]))
  for (const [name, pooled] of [
    ['Mixed_5b', 32],
    ['Mixed_5c', 64],
    ['Mixed_5d', 64]
  ] as const)
    x = blockA(graph, name, x, pooled)
  x = blockB(graph, 'Mixed_6a', x)
  for (const [name, narrow] of [
    ['Mixed_6b', 128],
    ['Mixed_6c', 160],
    ['Mixed_6d', 160],
    ['Mixed_6e', 192]
  ] as const) {
    x = blockC(graph, name, x, narrow)
  }
  x = blockD(graph, 'Mixed_7a', x)
  for (const name of ['Mixed_7b', 'Mixed_7c']) x = blockE(graph, name, x)
  classify(graph, 'fc', x, 1000)
  return graph
}

/** Convolution, normalisation, activation. */
const basic = (graph: ZooGraph, path: string, x: Value, channels: number, options: ConvolutionOptions = {}): Value =>
  relu(
    graph,
    path,
    batchNorm(graph, `${path}.bn`, convolution(graph, `${path}.conv`, x, channels, options), { epsilon: 1e-3 })
  )

const DOWN = { kernel: 3, stride: 2 } as const
const SAME3 = { kernel: 3, pad: 1 } as const
const ROW3 = { kernel: [1, 3], pad: [0, 1] } as const
const COLUMN3 = { kernel: [3, 1], pad: [1, 0] } as const
const ROW7 = { kernel: [1, 7], pad: [0, 3] } as const
const COLUMN7 = { kernel: [7, 1], pad: [3, 0] } as const

const stem = (graph: ZooGraph, image: Value): Value => {
  let x = basic(graph, 'Conv2d_1a_3x3', image, 32, DOWN)
  x = basic(graph, 'Conv2d_2a_3x3', x, 32, { kernel: 3 })
  x = basic(graph, 'Conv2d_2b_3x3', x, 64, SAME3)
  x = maxPool(graph, 'maxpool1', x, DOWN)
  x = basic(graph, 'Conv2d_3b_1x1', x, 80)
  x = basic(graph, 'Conv2d_4a_3x3', x, 192, { kernel: 3 })
  return maxPool(graph, 'maxpool2', x, DOWN)
}

/** Several convolutions, one after another. */
const chain = (graph: ZooGraph, x: Value, steps: readonly (readonly [string, number, ConvolutionOptions?])[]): Value =>
  steps.reduce((value, [path, channels, options]) => basic(graph, path, value, channels, options), x)

const pooledBranch = (graph: ZooGraph, path: string, x: Value, channels: number): Value =>
  basic(graph, `${path}.branch_pool`, averagePool(graph, path, x, { kernel: 3, stride: 1, pad: 1 }), channels)

const blockA = (graph: ZooGraph, path: string, x: Value, pooled: number): Value =>
  concat(graph, path, [
    basic(graph, `${path}.branch1x1`, x, 64),
    chain(graph, x, [
      [`${path}.branch5x5_1`, 48],
      [`${path}.branch5x5_2`, 64, { kernel: 5, pad: 2 }]
    ]),
    chain(graph, x, [
      [`${path}.branch3x3dbl_1`, 64],
      [`${path}.branch3x3dbl_2`, 96, SAME3],
      [`${path}.branch3x3dbl_3`, 96, SAME3]
    ]),
    pooledBranch(graph, path, x, pooled)
  ])

const blockB = (graph: ZooGraph, path: string, x: Value): Value =>
  concat(graph, path, [
    basic(graph, `${path}.branch3x3`, x, 384, DOWN),
    chain(graph, x, [
      [`${path}.branch3x3dbl_1`, 64],
      [`${path}.branch3x3dbl_2`, 96, SAME3],
      [`${path}.branch3x3dbl_3`, 96, DOWN]
    ]),
    maxPool(graph, path, x, DOWN)
  ])

const blockC = (graph: ZooGraph, path: string, x: Value, narrow: number): Value =>
  concat(graph, path, [
    basic(graph, `${path}.branch1x1`, x, 192),
    chain(graph, x, [
      [`${path}.branch7x7_1`, narrow],
      [`${path}.branch7x7_2`, narrow, ROW7],
      [`${path}.branch7x7_3`, 192, COLUMN7]
    ]),
    chain(graph, x, [
      [`${path}.branch7x7dbl_1`, narrow],
      [`${path}.branch7x7dbl_2`, narrow, COLUMN7],
      [`${path}.branch7x7dbl_3`, narrow, ROW7],
      [`${path}.branch7x7dbl_4`, narrow, COLUMN7],
      [`${path}.branch7x7dbl_5`, 192, ROW7]
    ]),
    pooledBranch(graph, path, x, 192)
  ])

const blockD = (graph: ZooGraph, path: string, x: Value): Value =>
  concat(graph, path, [
    chain(graph, x, [
      [`${path}.branch3x3_1`, 192],
      [`${path}.branch3x3_2`, 320, DOWN]
    ]),
    chain(graph, x, [
      [`${path}.branch7x7x3_1`, 192],
      [`${path}.branch7x7x3_2`, 192, ROW7],
      [`${path}.branch7x7x3_3`, 192, COLUMN7],
      [`${path}.branch7x7x3_4`, 192, DOWN]
    ]),
    maxPool(graph, path, x, DOWN)
  ])

const blockE = (graph: ZooGraph, path: string, x: Value): Value => {
  const split = (name: string, value: Value): Value =>
    concat(graph, path, [
      basic(graph, `${path}.${name}a`, value, 384, ROW3),
      basic(graph, `${path}.${name}b`, value, 384, COLUMN3)
    ])
  const doubled = chain(graph, x, [
    [`${path}.branch3x3dbl_1`, 448],
    [`${path}.branch3x3dbl_2`, 384, SAME3]
  ])
  return concat(graph, path, [
    basic(graph, `${path}.branch1x1`, x, 320),
    split('branch3x3_2', basic(graph, `${path}.branch3x3_1`, x, 384)),
    split('branch3x3dbl_3', doubled),
    pooledBranch(graph, path, x, 192)
  ])
}
