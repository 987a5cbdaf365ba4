import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterStatus } from '../src/runtime/device/device-status.ts'
import { startNode } from '../src/testing/node-process.ts'
import { tinyOnnx } from '../src/testing/tiny-onnx.ts'

/** What a node said, had, and wrote that computed made-up data in two blocks and ended. */
export interface RanWithProvider {
  readonly stderr: string
  readonly status: ClusterStatus
  readonly results: readonly string[]
}

/** @param folder a new one @param flags which provider, and how */
export const startedWithProvider = async (folder: string, flags: readonly string[]): Promise<RanWithProvider> => {
  const file = join(folder, 'two.onnx')
  writeFileSync(
    file,
    tinyOnnx({
      inputs: { x: ['float32', [1, 8]] },
      outputs: { y: ['float32', [1, 8]] },
      nodes: [
        { opType: 'MatMul', input: ['x', 'w'], output: ['a'] },
        { opType: 'Relu', input: ['a'], output: ['b'] },
        { opType: 'MatMul', input: ['b', 'w'], output: ['y'] }
      ],
      initializers: [
        {
          name: 'w',
          dataType: 1,
          dims: [8n, 8n],
          floatData: Array.from({ length: 64 }, (_, i) => ((i * 7) % 11) / 8 - 0.5)
        }
      ]
    })
  )
  const sink = join(folder, 'sink.jsonl')
  const node = startNode('lone', [
    ...['--state', join(folder, 'state'), '--model', `${file}:two`, '--cut-at', 'two=b'],
    ...['--source', 's=synthetic:5,model=two', '--sink', sink, '--exit-when-done', ...flags]
  ])
  const status = await node.status(({ sources }) => sources.some(({ completed }) => completed === 5))
  await node.ended
  const lines = readFileSync(sink, 'utf8').trimEnd().split('\n')
  const results = lines.map(line => JSON.stringify((JSON.parse(line) as { readonly result: unknown }).result))
  return { stderr: node.log(), status, results: results.sort() }
}
