import {
  add,
  attention,
  embeddingTable,
  flattenedLinear,
  gather,
  layerNorm,
  matMul,
  positions,
  tanhGelu,
  transpose
} from './text-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

const LAYERS = 12
const WIDTH = 768
const HEADS = 12
const VOCABULARY = 50257
const MAX_SEQUENCE = 1024
const LEAST_FLOAT = -3.4028234663852886e38

/**
 * The shape of GPT-2 small (Radford et al., 2019): 124 M parameters; the table of words is also the last layer's
 * matrix. Every word may look at itself and those before.
 */
export const gpt2Small = (sequence: number): ZooGraph => {
  const graph = new ZooGraph('gpt2-small-shaped')
  const ids = graph.input('input_ids', [1, sequence], 'int64')
  const words = embeddingTable(graph, 'transformer.wte', VOCABULARY, WIDTH)
  const places = positions(graph, 'transformer.wpe', MAX_SEQUENCE, WIDTH, sequence)
  let x = add(graph, 'transformer', gather(graph, 'transformer.wte', words, ids), places)
  const mask = causalMask(graph, sequence)
  for (let layer = 0; layer < LAYERS; layer++) x = block(graph, `transformer.h.${layer}`, x, mask)
  const final = layerNorm(graph, 'transformer.ln_f', x)
  graph.output('logits', matMul(graph, 'lm_head', final, transpose(graph, 'lm_head', words, [1, 0])))
  return graph
}

const causalMask = (graph: ZooGraph, sequence: number): Value => {
  const at = (i: number): number => (i % sequence > Math.floor(i / sequence) ? LEAST_FLOAT : 0)
  const data = Float32Array.from({ length: sequence * sequence }, (_, i) => at(i))
  return graph.constant('transformer', data, [1, 1, sequence, sequence])
}

/** The last matrix of each branch is smaller, so that the sum over all layers keeps its size (Radford et al., 2019). */
const BRANCH = { gain: 1 / (2 * LAYERS) }

const block = (graph: ZooGraph, path: string, x: Value, mask: Value): Value => {
  const joined = flattenedLinear(graph, `${path}.attn.c_attn`, layerNorm(graph, `${path}.ln_1`, x), 3 * WIDTH)
  const sizes = graph.integers(`${path}.attn`, [WIDTH, WIDTH, WIDTH])
  const parts = graph.ops(`${path}.attn`, 'Split', [joined, sizes], [x.dims, x.dims, x.dims], { axis: 2 })
  const [query, key, value] = parts as [Value, Value, Value]
  const mixed = attention(graph, `${path}.attn`, { query, key, value }, { count: HEADS, mask, scale: 'Mul' })
  const attended = add(graph, path, flattenedLinear(graph, `${path}.attn.c_proj`, mixed, WIDTH, BRANCH), x)
  const wide = flattenedLinear(graph, `${path}.mlp.c_fc`, layerNorm(graph, `${path}.ln_2`, attended), 4 * WIDTH)
  const thought = flattenedLinear(graph, `${path}.mlp.c_proj`, tanhGelu(graph, `${path}.mlp.act`, wide), WIDTH, BRANCH)
  return add(graph, path, attended, thought)
}
