import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRng } from '../../src/core/rng.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'
import { start } from '../started-nodes.ts'

const WIDE = 128
/** Each has weights of its own: 64 KiB, four times. */
const LAYERS = ['a', 'b', 'c', 'y']
const WEIGHTS = LAYERS.length * 4 * WIDE ** 2

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-weights-'))
  const rng = createRng('weights')
  const floats = (): number[] => Array.from({ length: WIDE ** 2 }, () => (rng.next() - 0.5) / 4)
  writeFileSync(
    join(folder, 'dense.onnx'),
    tinyOnnx({
      inputs: { x: ['float32', [1, WIDE]] },
      outputs: { y: ['float32', [1, WIDE]] },
      nodes: LAYERS.flatMap((to, i) => [
        { opType: 'MatMul', input: [LAYERS[i - 1] ?? 'x', `w${to}`], output: [`p${to}`] },
        { opType: 'Tanh', input: [`p${to}`], output: [to] }
      ]),
      initializers: LAYERS.map(to => ({
        ...{ name: `w${to}`, dataType: 1, dims: [BigInt(WIDE), BigInt(WIDE)] },
        floatData: floats()
      }))
    })
  )
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const COUNT = 12
const lone = (name: string, ...flags: readonly string[]) =>
  start(name, [
    ...['--state', join(folder, name), '--model', `${join(folder, 'dense.onnx')}:dense`, '--blocks', 'dense=2'],
    ...['--source', `s=synthetic:${COUNT},model=dense`, '--preset', 'raw', '--sink', join(folder, `${name}.jsonl`)],
    ...['--exit-when-done', ...flags]
  ])

/** What each datum's result is, in short, in their order. */
const resultsOf = (name: string): readonly string[] => {
  const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
  const results = lines.map(line => JSON.parse(line) as { readonly datum: number; readonly result: object })
  results.sort((x, y) => x.datum - y.datum)
  return results.map(({ result }) => JSON.stringify(result))
}

test.each([['int8'], ['fp16']])(
  'a node with too little memory for a model carries it in %s, and computes what that comes to',
  async format => {
    const memory = format === 'int8' ? 0.5 * WEIGHTS : 0.7 * WEIGHTS
    const plain = lone('plain')
    expect(await plain.ended).toBe(0)
    const small = lone('small', '--memory', `${memory}B`, '--weights', `dense=${format}`)
    const { devices } = await small.status(({ sources }) => sources.some(({ completed }) => completed === COUNT))
    expect(await small.ended).toBe(0)
    const { blocks, residentBytes } = devices[0]!.models['dense']!
    expect(blocks).toEqual([0, 1])
    expect(residentBytes).toBeLessThanOrEqual(memory)
    const [exact, coarse] = [resultsOf('plain'), resultsOf('small')]
    expect(coarse).toHaveLength(COUNT)
    expect(coarse.every((result, datum) => /float32.*128/.test(result) && result !== exact[datum])).toBe(true)
  }
)

test('as it is that model has no room there, and the node says so', async () => {
  const node = lone('full', '--memory', `${0.7 * WEIGHTS}B`)
  await node.event('ready').catch(() => {})
  const { sources } = await node.status(all => all.sources.some(({ because }) => /memory|room|plac/.test(because)))
  expect(sources[0]).toMatchObject({ completed: 0 })
}, 60_000)
