import { fullyConnected } from './image-layers.ts'
import {
  add,
  attention,
  decomposedLayerNorm,
  elementwise,
  embeddingTable,
  gather,
  gelu,
  linear,
  positions
} from './text-layers.ts'
import { type Value, ZooGraph } from './zoo-graph.ts'

const LAYERS = 2
const WIDTH = 128
const HEADS = 2
const VOCABULARY = 30522
const MAX_SEQUENCE = 512
const LEAST_FLOAT = -3.4028234663852886e38

/** BERT-tiny (Turc et al., 2019, arXiv 1908.08962): 2 layers, 128 wide, 4.4 M parameters; three inputs, two outputs. */
export const bertTiny = (sequence: number): ZooGraph => {
  const graph = new ZooGraph('bert-tiny')
  const [ids, seen, types] = ['input_ids', 'attention_mask', 'token_type_ids'].map(name =>
    graph.input(name, [1, sequence], 'int64')
  ) as [Value, Value, Value]
  const mask = additiveMask(graph, seen)
  let x = embeddings(graph, ids, types)
  for (let layer = 0; layer < LAYERS; layer++) x = block(graph, `encoder.layer.${layer}`, x, mask)
  const first = graph.op('pooler', 'Gather', [x, graph.constant('pooler', BigInt64Array.of(0n), [])], [1, WIDTH], {
    axis: 1
  })
  const pooled = fullyConnected(graph, 'pooler.dense', first, WIDTH, 1)
  graph.output('last_hidden_state', x)
  graph.output('pooler_output', graph.op('pooler.activation', 'Tanh', [pooled], pooled.dims))
  return graph
}

/** 0 where attention_mask is 1, the least float where it is 0. */
const additiveMask = (graph: ZooGraph, seen: Value): Value => {
  const sequence = seen.dims[1]!
  const wider = graph.op('', 'Unsqueeze', [seen, graph.integers('', [1])], [1, 1, sequence])
  const widest = graph.op('', 'Unsqueeze', [wider, graph.integers('', [2])], [1, 1, 1, sequence])
  const FLOAT = 1
  const numbers = graph.op('', 'Cast', [widest], widest.dims, { to: FLOAT })
  const unseen = graph.op('', 'Sub', [graph.scalar('', 1), numbers], widest.dims)
  return elementwise(graph, '', 'Mul', unseen, graph.scalar('', LEAST_FLOAT))
}

const embeddings = (graph: ZooGraph, ids: Value, types: Value): Value => {
  const at = 'embeddings'
  const words = gather(
    graph,
    `${at}.word_embeddings`,
    embeddingTable(graph, `${at}.word_embeddings`, VOCABULARY, WIDTH),
    ids
  )
  const kinds = gather(
    graph,
    `${at}.token_type_embeddings`,
    embeddingTable(graph, `${at}.token_type_embeddings`, 2, WIDTH),
    types
  )
  const places = positions(graph, `${at}.position_embeddings`, MAX_SEQUENCE, WIDTH, ids.dims[1]!)
  return decomposedLayerNorm(graph, `${at}.LayerNorm`, add(graph, at, add(graph, at, words, kinds), places))
}

const block = (graph: ZooGraph, path: string, x: Value, mask: Value): Value => {
  const [query, key, value] = ['query', 'key', 'value'].map(name =>
    linear(graph, `${path}.attention.self.${name}`, x, WIDTH)
  ) as [Value, Value, Value]
  const mixed = attention(graph, `${path}.attention.self`, { query, key, value }, { count: HEADS, mask, scale: 'Div' })
  const projected = linear(graph, `${path}.attention.output.dense`, mixed, WIDTH)
  const attended = decomposedLayerNorm(graph, `${path}.attention.output.LayerNorm`, add(graph, path, projected, x))
  const wide = gelu(graph, `${path}.intermediate`, linear(graph, `${path}.intermediate.dense`, attended, 4 * WIDTH))
  const narrow = linear(graph, `${path}.output.dense`, wide, WIDTH)
  return decomposedLayerNorm(graph, `${path}.output.LayerNorm`, add(graph, path, narrow, attended))
}
