import { averagePool, batchNorm, classify, concat, convolution, maxPool, relu } from './image-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

/** Channels that each layer adds. */
const GROWTH = 32

/** DenseNet-121 (Huang et al., 2017, arXiv 1608.06993), growth 32, for 224 x 224 images. */
export const densenet121 = (): ZooGraph => {
  const graph = new ZooGraph('densenet121')
  const stem = convolution(graph, 'features.conv0', graph.input('input', [1, 3, 224, 224]), 64, {
    kernel: 7,
    stride: 2,
    pad: 3
  })
  let x = relu(graph, 'features.relu0', batchNorm(graph, 'features.norm0', stem))
  x = maxPool(graph, 'features.pool0', x, { kernel: 3, stride: 2, pad: 1 })
  const blocks = [6, 12, 24, 16]
  for (const [i, layers] of blocks.entries()) {
    x = denseBlock(graph, `features.denseblock${i + 1}`, x, layers)
    if (i < blocks.length - 1) x = transition(graph, `features.transition${i + 1}`, x)
  }
  classify(graph, 'classifier', relu(graph, '', batchNorm(graph, 'features.norm5', x)), 1000)
  return graph
}

/** Every layer reads what all layers before it wrote. */
const denseBlock = (graph: ZooGraph, path: string, x: Value, layers: number): Value => {
  const features = [x]
  for (let layer = 1; layer <= layers; layer++) {
    const at = `${path}.denselayer${layer}`
    const all = features.length === 1 ? x : concat(graph, at, features)
    const first = relu(graph, `${at}.relu1`, batchNorm(graph, `${at}.norm1`, all))
    const narrow = batchNorm(graph, `${at}.norm2`, convolution(graph, `${at}.conv1`, first, 4 * GROWTH))
    const second = relu(graph, `${at}.relu2`, narrow)
    features.push(convolution(graph, `${at}.conv2`, second, GROWTH, { kernel: 3, pad: 1, gain: 1 }))
  }
  return concat(graph, path, features)
}

const transition = (graph: ZooGraph, path: string, x: Value): Value => {
  const activated = relu(graph, `${path}.relu`, batchNorm(graph, `${path}.norm`, x))
  const halved = convolution(graph, `${path}.conv`, activated, x.dims[1]! / 2)
  return averagePool(graph, `${path}.pool`, halved, { kernel: 2, stride: 2 })
}
