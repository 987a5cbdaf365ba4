import { add, batchNorm, classify, convolution, relu } from './image-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

/** Basic blocks in each of the three stages: 2 x 3 x 9 convolutions, one before and a classifier after make 56 layers. */
const BLOCKS = 9

/**
 * ResNet-56 for CIFAR-10 (He et al., 2016, arXiv 1512.03385, section 4.2): 32 x 32 images, 0.85 M parameters. Shortcuts
 * have none (option A): every second pixel, and zeros for the new channels.
 */
export const resnet56 = (): ZooGraph => {
  const graph = new ZooGraph('resnet56')
  const image = graph.input('input', [1, 3, 32, 32])
  let x = relu(graph, 'relu', batchNorm(graph, 'bn1', convolution(graph, 'conv1', image, 16, { kernel: 3, pad: 1 })))
  for (let stage = 0; stage < 3; stage++) {
    for (let block = 0; block < BLOCKS; block++) {
      x = basic(graph, `layer${stage + 1}.${block}`, x, 16 << stage, stage > 0 && block === 0 ? 2 : 1)
    }
  }
  classify(graph, 'linear', x, 10)
  return graph
}

const basic = (graph: ZooGraph, path: string, x: Value, width: number, stride: number): Value => {
  const first = convolution(graph, `${path}.conv1`, x, width, { kernel: 3, stride, pad: 1 })
  const a = relu(graph, `${path}.relu`, batchNorm(graph, `${path}.bn1`, first))
  const second = convolution(graph, `${path}.conv2`, a, width, { kernel: 3, pad: 1, gain: 1 })
  const branch = batchNorm(graph, `${path}.bn2`, second, { scale: 0.5 })
  const straight =
    stride === 1 ? x : padded(graph, `${path}.shortcut`, everySecond(graph, `${path}.shortcut`, x), width)
  return relu(graph, `${path}.relu`, add(graph, path, branch, straight))
}

const everySecond = (graph: ZooGraph, path: string, x: Value): Value => {
  const [batch, channels, height, width] = x.dims
  const far = 2 ** 31 - 1
  const bounds = [
    [0, 0],
    [far, far],
    [2, 3],
    [2, 2]
  ].map(values => graph.integers(path, values))
  return graph.op(path, 'Slice', [x, ...bounds], [batch!, channels!, Math.ceil(height! / 2), Math.ceil(width! / 2)])
}

const padded = (graph: ZooGraph, path: string, x: Value, channels: number): Value => {
  const [batch, before, height, width] = x.dims
  const around = (channels - before!) / 2
  const pads = graph.integers(path, [0, around, 0, 0, 0, around, 0, 0])
  const inputs = [x, pads, graph.scalar(path, 0)]
  return graph.op(path, 'Pad', inputs, [batch!, channels, height!, width!], { mode: 'constant' })
}
