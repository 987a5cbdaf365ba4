import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TensorProto_DataType as T } from 'onnx-buf'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { madeUpTensor } from '../../src/core/made-up-tensor.ts'
import { createRng } from '../../src/core/rng.ts'
import type { Tensor } from '../../src/core/tensor.ts'
import { decodeNpy, encodeNpy } from '../../src/runtime/io/npy.ts'
import { openModel } from '../../src/runtime/onnx/open-model.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import {
  body,
  buildModel,
  type Dims,
  floats,
  int,
  int64s,
  type ModelParts,
  node,
  value
} from '../../src/testing/onnx-builder.ts'

// Models whose files say little or nothing true about shapes, or hold more than tensors, served by real devices: every
// .npy file that plain ONNX Runtime answers for the whole file is answered with the same.

const F = T.FLOAT
const WIDE = 64
const LAYERS = 4

/** Weights enough that two small devices must share them: x times a matrix, four times. */
const layers = (from: string, to: string): ModelParts['nodes'] =>
  Array.from({ length: LAYERS }, (_, i) => [
    node('MatMul', [i === 0 ? from : `r${i - 1}`, `w${i}`], [`m${i}`]),
    node('Tanh', [`m${i}`], [i === LAYERS - 1 ? to : `r${i}`])
  ]).flat()
const weights = Array.from({ length: LAYERS }, (_, i) => floats(`w${i}`, [WIDE, WIDE], 0.2))
const plain = (dims: Dims | undefined, out?: Dims, claims: ModelParts['claims'] = []): ModelParts => ({
  nodes: layers('x', 'y'),
  weights,
  inputs: [value('x', F, dims)],
  outputs: [value('y', F, out)],
  claims
})

interface Odd {
  readonly model: ModelParts
  readonly shape: readonly string[]
  /** Shapes of the inputs of each item. */
  readonly items: readonly Readonly<Record<string, readonly number[]>>[]
  /** Outputs that are served. @default y */
  readonly outputs?: readonly string[]
  readonly said?: RegExp
}

const sequence = (name: string): never =>
  ({ name, type: { value: { case: 'sequenceType', value: { elemType: value('', F).type } } } }) as never

const ODD: Readonly<Record<string, Odd>> = {
  'minus-one': {
    model: plain([-1, WIDE], [-1, WIDE], [value('m1', F, [-1, -1])]),
    shape: ['x=3x64'],
    items: [{ x: [3, WIDE] }, { x: [1, WIDE] }, { x: [5, WIDE] }]
  },
  'no-rank': {
    model: plain(undefined),
    shape: ['x=2x64'],
    items: [{ x: [2, WIDE] }, { x: [WIDE] }, { x: [2, 3, WIDE] }]
  },
  'stale-batch': {
    model: plain(
      ['N', WIDE],
      [1, WIDE],
      Array.from({ length: LAYERS }, (_, i) => value(`m${i}`, F, [1, WIDE])).concat(value('r1', F, [1, WIDE]))
    ),
    shape: ['x=2x64'],
    items: [{ x: [1, WIDE] }, { x: [2, WIDE] }, { x: [3, WIDE] }]
  },
  scalar: {
    model: {
      ...plain(['N', WIDE]),
      nodes: [...layers('x', 'z'), node('Mul', ['z', 'scale'], ['s']), node('Add', ['s', 'shift'], ['y'])],
      inputs: [value('x', F, ['N', WIDE]), value('scale', F), value('shift', F, [])]
    },
    shape: ['x=2x64', 'scale=scalar'],
    items: [
      { x: [2, WIDE], scale: [], shift: [] },
      { x: [3, WIDE], scale: [1], shift: [1] }
    ]
  },
  'shared-dimensions': {
    model: {
      ...plain(undefined),
      nodes: [
        node('Unsqueeze', ['mask', 'last'], ['column']),
        node('Mul', ['x', 'column'], ['masked']),
        ...layers('masked', 'y')
      ],
      weights: [...weights, int64s('last', [2])],
      inputs: [value('mask', F, ['N', 'S']), value('x', F, ['N', 'S', WIDE])]
    },
    shape: ['x=2x5x64'],
    items: [
      { mask: [2, 5], x: [2, 5, WIDE] },
      { mask: [1, 3], x: [1, 3, WIDE] }
    ]
  },
  'empty-past': {
    model: {
      ...plain(undefined),
      nodes: [
        node('Concat', ['past', 'x'], ['all'], [int('axis', 1)]),
        ...layers('all', 'y'),
        node('Neg', ['past'], ['kept'])
      ],
      inputs: [value('past', F, [1, 'P', WIDE]), value('x', F, [1, 'S', WIDE])],
      outputs: [value('y', F, [1, 1, WIDE]), value('kept', F)]
    },
    shape: ['past=1x0x64', 'x=1x1x64'],
    items: [
      { past: [1, 0, WIDE], x: [1, 1, WIDE] },
      { past: [1, 4, WIDE], x: [1, 2, WIDE] }
    ],
    outputs: ['y', 'kept']
  },
  'data-decide': {
    model: {
      nodes: [
        node('NonZero', ['x'], ['nz']),
        node('Transpose', ['nz'], ['t']),
        node('Cast', ['t'], ['f'], [int('to', F)]),
        node('MatMul', ['f', 'in'], ['first']),
        ...layers('first', 'y')
      ],
      weights: [floats('in', [2, WIDE], 0.01), ...weights],
      inputs: [value('x', F, [2, 4])],
      outputs: [value('y', F, [3, WIDE])],
      claims: [value('nz', T.INT64, [2, 3]), value('m1', F, [3, WIDE]), value('r1', F, [3, WIDE])]
    },
    shape: [],
    items: [{ x: [2, 4] }]
  },
  zipmap: {
    model: {
      ...plain(['n', WIDE]),
      nodes: [
        ...layers('x', 'y'),
        node('ArgMax', ['y'], ['label'], [int('axis', 1), int('keepdims', 0)]),
        node(
          'ZipMap',
          ['y'],
          ['map'],
          [{ name: 'classlabels_int64s', type: 7, ints: Array.from({ length: WIDE }, (_, i) => BigInt(i)) }],
          'ai.onnx.ml'
        ),
        node('SequenceConstruct', ['y'], ['list'])
      ],
      outputs: [value('label', T.INT64, ['n']), sequence('list'), { name: 'map' } as never, value('y', F, ['n', WIDE])],
      domains: [{ domain: 'ai.onnx.ml', version: 1 }]
    },
    shape: ['x=3x64'],
    items: [{ x: [3, WIDE] }, { x: [2, WIDE] }],
    outputs: ['label', 'y'],
    said: /left out, since only tensors travel: output "list" \(sequence of float tensor\), output "map" \(not a tensor\)/
  },
  bodies: {
    model: {
      ...plain(['N', WIDE]),
      nodes: [
        ...layers('x', 'z'),
        node(
          'Loop',
          ['trips', '', 'z'],
          ['y'],
          [
            body('body', {
              name: 'body',
              input: [value('i', T.INT64, []), value('go', T.BOOL, []), value('v', F, [1, WIDE])],
              node: [node('Identity', ['go'], ['on']), node('Add', ['v', 'z'], ['v2'])],
              output: [value('on', T.BOOL, []), value('v2', F, [1, WIDE])]
            })
          ]
        )
      ],
      weights: [...weights, int64s('trips', [2], [])]
    },
    shape: ['x=2x64'],
    items: [{ x: [2, WIDE] }, { x: [4, WIDE] }]
  }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-odd-models-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const alive: NodeProcess[] = []
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL')
  await Promise.all(alive.splice(0).map(({ ended }) => ended))
})
const start = (name: string, flags: readonly string[]): NodeProcess => {
  const process_ = startNode(name, flags)
  alive.push(process_)
  return process_
}

/** The model and its items in a folder of their own, with what plain ONNX Runtime answers to each. */
const write = async (at: string, { model, items, outputs = ['y'] }: Odd) => {
  const file = join(at, 'model.onnx')
  await mkdir(join(at, 'items'), { recursive: true })
  await writeFile(file, buildModel(model))
  const whole = await openModel(file)
  const answers = new Map<string, readonly Tensor[]>()
  for (const [i, shapes] of items.entries()) {
    const feeds = Object.entries(shapes).map(([name, dims]) =>
      madeUpTensor(name, 'float32', dims, createRng(`${name} ${i}`))
    )
    const isAlone = feeds.length === 1
    for (const feed of feeds)
      await writeFile(join(at, 'items', isAlone ? `${i}.npy` : `${i}.${feed.name}.npy`), encodeNpy(feed))
    answers.set(isAlone ? `${i}.npy` : String(i), await whole.run(feeds, outputs))
  }
  await whole.close()
  return { file, answers }
}

const flagsFor = (at: string, name: string, { shape }: Odd): string[] => [
  ...['--model', `${join(at, 'model.onnx')}:${name}`, '--source', `${name}=dir:${join(at, 'items')},model=${name}`],
  ...shape.flatMap(text => ['--shape', `${name}:${text}`])
]

/** Of the runtime's own coloured lines, and of stacks. */
const expectNoLeak = (text: string): void => {
  expect(text).not.toContain('\x1b[')
  expect(text).not.toMatch(/onnxruntime:|\n {4}at /)
}

type Results = Readonly<Record<string, { type: string; dims: number[]; data?: number[]; file?: string }>>

const check = async (sink: string, name: string, answers: ReadonlyMap<string, readonly Tensor[]>): Promise<void> => {
  const lines = (await readFile(sink, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { source: string; item: string; result: Results; cause?: string })
    .filter(({ source }) => source.startsWith(`${name}@`))
  expect(lines.map(({ item, cause }) => cause ?? item).sort()).toEqual([...answers.keys()].sort())
  for (const { item, result } of lines) {
    const expected = answers.get(item)!
    expect(Object.keys(result).sort()).toEqual(expected.map(tensor => tensor.name).sort())
    for (const tensor of expected) {
      const { type, dims, data, file } = result[tensor.name]!
      expect({ type, dims }, `${name} ${item}`).toEqual({ type: tensor.type, dims: [...tensor.dims] })
      const numbers = file === undefined ? data! : numbersOf(decodeNpy(await readFile(join(sink, '..', file))))
      expect(numbers, `${name} ${item}`).toEqual(numbersOf(tensor))
    }
  }
}

const numbersOf = ({ type, data }: Pick<Tensor, 'type' | 'data'>): number[] =>
  type === 'int64' ? Array.from(new BigInt64Array(data.buffer), Number) : Array.from(new Float32Array(data.buffer))

describe('models whose files say little that is true about shapes, or hold more than tensors', () => {
  test('one device answers all of them as plain ONNX Runtime does', async () => {
    const home = join(folder, 'one')
    const sink = join(home, 'out.jsonl')
    const flags: string[] = []
    const expected = new Map<string, ReadonlyMap<string, readonly Tensor[]>>()
    for (const [name, odd] of Object.entries(ODD)) {
      const at = join(home, name)
      expected.set(name, (await write(at, odd)).answers)
      flags.push(...flagsFor(at, name, odd))
    }
    const always = ['--state', join(home, 'state'), '--preset', 'raw', '--sink', sink, '--exit-when-done']
    const device = start('one', [...flags, ...always])
    expect(await device.ended, device.log()).toBe(0)
    for (const [name, answers] of expected) await check(sink, name, answers)
    for (const { said } of Object.values(ODD)) if (said !== undefined) expect(device.log()).toMatch(said)
    expectNoLeak(device.log())
    // A second start cuts nothing, and still says what is left out.
    const again = start('one', [...flags, ...always])
    expect(await again.ended, again.log()).toBe(0)
    expect(again.log()).not.toMatch(/cutting/)
    expect(again.log()).toMatch(/left out, since only tensors travel: output "list", "map"/)
  })

  test.each(['no-rank', 'stale-batch', 'empty-past'])('%s: two devices, each too small for the whole', async name => {
    const odd = ODD[name]!
    const home = join(folder, `two-${name}`)
    const { answers } = await write(home, odd)
    const sink = join(home, 'out.jsonl')
    const small = ['--memory', '40KiB']
    const owner = start('porch', [
      ...flagsFor(home, name, odd),
      ...['--state', join(home, 'porch'), '--preset', 'raw', '--sink', sink, '--exit-when-done', '--start-when', '2'],
      ...small
    ])
    const { invite } = await owner.event('listening')
    const other = start('shed', ['--state', join(home, 'shed'), '--join', String(invite), ...small])
    expect(await owner.ended, owner.log() + other.log()).toBe(0)
    await check(sink, name, answers)
    const { devices } = await owner.status(({ sources }) => sources.every(({ state }) => state === 'done'))
    for (const { models } of devices) expect(models[name]?.blocks.length).toBeGreaterThan(0)
    expect(devices).toHaveLength(2)
  })
})

const tributary = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise(resolve => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

describe('the commands', () => {
  test.each(['minus-one', 'scalar', 'empty-past', 'zipmap'])('inspect, cut --verify and profile of %s', async name => {
    const odd = ODD[name]!
    const at = join(folder, `commands-${name}`)
    const { file } = await write(at, odd)
    const shapes = odd.shape.flatMap(text => ['--shape', text])
    const out = ['--parts', '3', '--out', join(at, 'parts'), '--verify', '--json']
    const [inspected, cut, profiled] = [
      await tributary('inspect', file, ...shapes, '--json'),
      await tributary('cut', file, ...shapes, ...out),
      await tributary('profile', file, ...shapes, '--runs', '1', '--json')
    ]
    expect([inspected.code, cut.code, profiled.code], cut.stderr).toEqual([0, 0, 0])
    expect(JSON.parse(cut.stdout).verify.maxAbsDiff).toBe(0)
    const { activations, leftOut } = JSON.parse(inspected.stdout)
    expect(activations[0].tensors.map((tensor: { shape: number[] }) => tensor.shape)).toEqual(
      Object.values(odd.items[0]!)
    )
    expect(JSON.parse(cut.stdout).leftOut).toEqual(leftOut)
    for (const { stderr } of [inspected, cut]) {
      if (odd.said !== undefined) expect(stderr).toMatch(odd.said)
      expectNoLeak(stderr)
    }
  })
})

describe('one --shape for inputs that share dimension names', () => {
  test('made-up data have the shapes that the model was cut at, or those of a --shape where the source is', async () => {
    const home = join(folder, 'made-up')
    await write(home, ODD['shared-dimensions']!)
    const flags = ['--model', `${join(home, 'model.onnx')}:m`, '--shape', 'm:x=2x5x64', '--exit-when-done']
    const made = start('one', [
      ...[
        '--source',
        's=synthetic:3,model=m',
        '--sink',
        join(home, 'made-up.jsonl'),
        '--state',
        join(home, 'one'),
        ...flags
      ]
    ])
    expect(await made.ended, made.log()).toBe(0)
    const lines = (await readFile(join(home, 'made-up.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).result.y.dims)).toEqual([0, 1, 2].map(() => [2, 5, WIDE]))
  })

  test('emulate', async () => {
    const home = join(folder, 'emulated')
    const { file } = await write(home, ODD['shared-dimensions']!)
    const scenario = join(home, 'scenario.yaml')
    await writeFile(
      scenario,
      `devices: { a: { speed: 0.5 }, b: { speed: 0.5 } }
links: { default: { bandwidth: 50Mbps, latency: 1ms } }
models: { m: { file: ${file}, shape: [x=2x5x64] } }
sources: [{ name: s, device: a, model: m, count: 6 }]
`
    )
    const { code, stdout, stderr } = await tributary('emulate', scenario, '--policy', 'confluence', '--json')
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout).runs[0].sources[0]).toMatchObject({ completed: 6, lost: 0 })
  })
})
