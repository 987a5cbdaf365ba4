import { add, batchNorm, classify, convolution, maxPool, relu } from './image-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

/**
 * ResNet-50 (He et al., 2016, arXiv 1512.03385) for 224 x 224 images, with the stride in the 3 x 3 convolution, as
 * torchvision and its exports have it.
 */
export const resnet50 = (): ZooGraph => {
  const graph = new ZooGraph('resnet50')
  const image = graph.input('input', [1, 3, 224, 224])
  const stem = convolution(graph, 'conv1', image, 64, { kernel: 7, stride: 2, pad: 3 })
  let x = relu(graph, 'relu', batchNorm(graph, 'bn1', stem))
  x = maxPool(graph, 'maxpool', x, { kernel: 3, stride: 2, pad: 1 })
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    for (let block = 0; block < blocks; block++) {
      x = bottleneck(graph, `layer${stage + 1}.${block}`, x, 64 << stage, stage > 0 && block === 0 ? 2 : 1)
    }
  }
  classify(graph, 'fc', x, 1000)
  return graph
}

const bottleneck = (graph: ZooGraph, path: string, x: Value, width: number, stride: number): Value => {
  const narrow = convolution(graph, `${path}.conv1`, x, width)
  const a = relu(graph, `${path}.relu`, batchNorm(graph, `${path}.bn1`, narrow))
  const middle = convolution(graph, `${path}.conv2`, a, width, { kernel: 3, stride, pad: 1 })
  const b = relu(graph, `${path}.relu`, batchNorm(graph, `${path}.bn2`, middle))
  const wide = convolution(graph, `${path}.conv3`, b, 4 * width, { gain: 1 })
  const branch = batchNorm(graph, `${path}.bn3`, wide, { scale: 0.5 })
  return relu(
    graph,
    `${path}.relu`,
    add(graph, path, branch, shortcut(graph, `${path}.downsample`, x, 4 * width, stride))
  )
}

const shortcut = (graph: ZooGraph, path: string, x: Value, channels: number, stride: number): Value => {
  if (x.dims[1] === channels && stride === 1) return x
  return batchNorm(graph, `${path}.1`, convolution(graph, `${path}.0`, x, channels, { stride, gain: 1 }))
}
