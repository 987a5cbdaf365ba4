import { convolution, fullyConnected, maxPool, relu } from './image-layers.ts'
import { ZooGraph } from './zoo-graph.ts'

/** Channels of each convolution; after each group a pooling. */
const GROUPS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512]
]

/** VGG-16, configuration D (Simonyan and Zisserman, 2015, arXiv 1409.1556), for 224 x 224 images; without dropout. */
export const vgg16 = (): ZooGraph => {
  const graph = new ZooGraph('vgg16')
  let x = graph.input('input', [1, 3, 224, 224])
  let index = 0
  for (const group of GROUPS) {
    for (const channels of group) {
      x = convolution(graph, `features.${index++}`, x, channels, { kernel: 3, pad: 1, bias: true })
      x = relu(graph, `features.${index++}`, x)
    }
    x = maxPool(graph, `features.${index++}`, x, { kernel: 2, stride: 2 })
  }
  let flat = graph.op('', 'Flatten', [x], [1, x.dims[1]! * x.dims[2]! * x.dims[3]!], { axis: 1 })
  for (const at of [0, 3])
    flat = relu(graph, `classifier.${at + 1}`, fullyConnected(graph, `classifier.${at}`, flat, 4096))
  graph.output('output', fullyConnected(graph, 'classifier.6', flat, 1000, 1))
  return graph
}
