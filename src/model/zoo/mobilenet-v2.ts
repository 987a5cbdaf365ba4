import { add, batchNorm, type ConvolutionOptions, classify, convolution, relu6 } from './image-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

/** Expansion, channels, repetitions, stride of the first: table 2 of the paper. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1]
] as const

/** MobileNetV2, width 1.0 (Sandler et al., 2018, arXiv 1801.04381), for 224 x 224 images. */
export const mobilenetV2 = (): ZooGraph => {
  const graph = new ZooGraph('mobilenetv2')
  let x = activated(graph, 'features.0', graph.input('input', [1, 3, 224, 224]), 32, { kernel: 3, stride: 2, pad: 1 })
  let index = 1
  for (const [expansion, channels, repetitions, stride] of STAGES) {
    for (let i = 0; i < repetitions; i++) {
      x = inverted(graph, `features.${index++}.conv`, x, channels, expansion, i === 0 ? stride : 1)
    }
  }
  x = activated(graph, `features.${index}`, x, 1280, {})
  classify(graph, 'classifier.1', x, 1000)
  return graph
}

const activated = (graph: ZooGraph, path: string, x: Value, channels: number, options: ConvolutionOptions): Value =>
  relu6(graph, `${path}.2`, batchNorm(graph, `${path}.1`, convolution(graph, `${path}.0`, x, channels, options)))

/** Inverted residual: widen, filter each channel, project without activation. */
const inverted = (
  graph: ZooGraph,
  path: string,
  x: Value,
  channels: number,
  expansion: number,
  stride: number
): Value => {
  const before = x.dims[1]!
  const hidden = before * expansion
  const wide = expansion === 1 ? x : activated(graph, `${path}.0`, x, hidden, {})
  const at = expansion === 1 ? 0 : 1
  const options = { kernel: 3, stride, pad: 1, groups: hidden }
  const filtered = activated(graph, `${path}.${at}`, wide, hidden, options)
  const residual = stride === 1 && before === channels
  const projected = convolution(graph, `${path}.${at + 1}`, filtered, channels, { gain: 1 })
  const result = batchNorm(graph, `${path}.${at + 2}`, projected, { scale: residual ? 0.5 : 1 })
  return residual ? add(graph, path, x, result) : result
}
