import { TensorProto_DataType as T } from 'onnx-buf'
import { expect, test } from 'vitest'
import { createRng, type Rng } from '../core/rng.ts'
import { openModel } from '../runtime/onnx/open-model.ts'
import { chainDiffers, save, study } from '../testing/cut-everywhere.ts'
import { type Dims, floats, int, int64s, ints, type ModelParts, node, value } from '../testing/onnx-builder.ts'
import { feedsFor } from './tensor-facts.ts'

/** Random graphs on matrices of four columns, with random nonsense in every place where a file may claim a shape. */
const GRAPHS = Number(process.env['FUZZ_GRAPHS'] ?? 20)
const SIZES = [2, 1, 3, 5]

const pick = <X>(rng: Rng, from: readonly X[]): X => from[Math.floor(rng.next() * from.length)]!

const randomDims = (rng: Rng, rank: number): Dims | undefined => {
  const dim = () => pick<Dims[number]>(rng, [1, 1, 1, 2, 3, 4, 0, -1, -7, 2n ** 40n, '', '?', 'N', 'M', '-1', null])
  const kind = rng.next()
  if (kind < 0.1) return undefined
  return Array.from({ length: kind < 0.2 ? Math.floor(rng.next() * 4) : rank }, (_, i) =>
    rank === 2 && i === 1 && rng.next() < 0.6 ? 4 : dim()
  )
}

/** @param readsShapes some nodes compute with shapes */
const randomGraph = (rng: Rng, readsShapes: boolean): ModelParts => {
  const nodes: ModelParts['nodes'][number][] = []
  const matrices = ['x', 'z']
  const rank = new Map<string, number>()
  let count = 0
  const add = (op: string, input: readonly string[], attributes: Parameters<typeof node>[3] = []): string => {
    const name = `t${count++}`
    nodes.push(node(op, input, [name], attributes))
    return name
  }
  for (let i = 0; i < 4 + rng.next() * 8; i++) {
    const [a, b] = [pick(rng, matrices), pick(rng, matrices)]
    const plain: readonly (() => string)[] = [
      () => add(pick(rng, ['Relu', 'Neg', 'Tanh', 'Sigmoid', 'Identity']), [a]),
      () => add('MatMul', [a, 'w']),
      () => add('Concat', [a, b], [int('axis', 0)]),
      () => add('Softmax', [a], [int('axis', 1)]),
      () => add('Add', [a, 'row']),
      () => {
        const places = add('Cast', [add('NonZero', [a])], [int('to', T.FLOAT)])
        return add('Transpose', [add('Concat', [places, places], [int('axis', 0)])], [ints('perm', [1, 0])])
      }
    ]
    const onShapes: readonly (() => string)[] = [
      () => add('Reshape', [a, add('Shape', [a])]),
      () => add('Reshape', [add('Transpose', [a], [ints('perm', [1, 0])]), 'rows']),
      () => add('Expand', [add('ReduceMean', [a], [ints('axes', [0])]), add('Shape', [b])]),
      () => add('Add', [a, add('Cast', [add('Size', [b])], [int('to', T.FLOAT)])])
    ]
    const makers = readsShapes ? [...plain, ...onShapes, ...onShapes] : plain
    const made = pick(rng, makers)()
    matrices.push(made)
    rank.set(made, 2)
  }
  const outputs = [...new Set([matrices.at(-1)!, pick(rng, matrices.slice(2)), pick(rng, matrices.slice(2))])]
  const claims = nodes
    .map(({ output }) => output![0]!)
    .filter(name => rank.has(name) && !outputs.includes(name) && rng.next() < 0.6)
  const first = () => pick<Dims[number]>(rng, [-1, '', '?', 'N', null, 'M'])
  return {
    nodes,
    weights: [floats('w', [4, 4], 0.3), floats('row', [4]), int64s('rows', [-1, 4])],
    inputs: ['x', 'z'].map(name => value(name, T.FLOAT, rng.next() < 0.1 ? undefined : [first(), 4])),
    outputs: outputs.map(name => value(name, T.FLOAT, randomDims(rng, 2))),
    claims: claims.map(name => value(name, T.FLOAT, randomDims(rng, 2)))
  }
}

const rowsOf = (x: number, z: number) =>
  new Map([
    ['x', [x, 4]],
    ['z', [z, 4]]
  ])

/**
 * Cut at some shape, run at others, wherever ONNX Runtime runs the whole.
 * @param oracle the model whose answers are right
 * @returns how many runs were compared
 */
const compareAtSizes = async (rng: Rng, parts: ModelParts, oracle: ModelParts): Promise<number> => {
  const truth = save(oracle)
  const whole = await openModel(truth).catch(() => undefined)
  if (whole === undefined) return 0 // its claims contradict each other
  const model = await study(save(parts), rowsOf(2, 2))
  const judged = { ...model, analysis: { ...model.analysis, file: { ...model.analysis.file, path: truth } } }
  const all = model.cutPoints.map((_, c) => c)
  let compared = 0
  for (const [i, size] of SIZES.entries()) {
    const shapes = rowsOf(size, i % 2 === 0 ? size : pick(rng, SIZES))
    const answers = await whole.run(feedsFor(whole.inputs, shapes)!).catch(() => undefined)
    if (answers === undefined) continue
    for (const cuts of [all, all.filter(() => rng.next() < 0.4)]) {
      const differs = await chainDiffers(judged, cuts, shapes).catch(error => (error as Error).message)
      expect(differs, `${JSON.stringify([...shapes])} cut at ${cuts.join()}: ${differs}`).toBe(0)
      compared++
    }
  }
  await whole.close()
  return compared
}

const fuzz = async (name: string, readsShapes: boolean, oracleOf: (parts: ModelParts) => ModelParts) => {
  let compared = 0
  for (let g = 0; g < GRAPHS; g++) {
    const seed = `${process.env['FUZZ_SEED'] ?? name}/${g}`
    const rng = createRng(seed)
    const parts = randomGraph(rng, readsShapes)
    compared += await compareAtSizes(rng, parts, oracleOf(parts)).catch(error => {
      throw new Error(`graph ${seed}: ${(error as Error).message}`)
    })
  }
  expect(compared).toBeGreaterThan(GRAPHS)
}

test('where nothing computes with shapes, the chain answers whatever plain ONNX Runtime answers, and the same', () =>
  fuzz('plain', false, parts => parts))

// From a false claim ONNX Runtime computes Shape when it loads a model, and drops what seems to change nothing.
test('where something does, the chain answers as if nothing false were claimed', () =>
  fuzz('shapes', true, parts => ({
    ...parts,
    claims: [],
    outputs: parts.outputs.map(({ name }) => value(name, T.FLOAT))
  })))
