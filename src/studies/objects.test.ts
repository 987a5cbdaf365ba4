import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createDdi } from '../scheduler/ddi.ts'
import { tinyOnnx, tinyOnnxFile } from '../testing/tiny-onnx.ts'
import { plan } from './plan-object.ts'
import { readModel } from './read-model.ts'
import type { ScenarioObject } from './scenario-object.ts'
import { simulate } from './simulate-object.ts'

const scenario: ScenarioObject = {
  name: 'two',
  devices: { porch: { speed: 0.25 }, shed: {} },
  links: { default: { bandwidth: '100Mbps', latency: '1ms' } },
  models: { toy: { blocks: [{ work: '20ms' }, { work: '20ms' }], activations: ['100KB', '10KB', '1KB'] } },
  sources: [{ name: 'cam', device: 'porch', model: 'toy', count: 50 }]
}

test('a plan of an object: 1.25 devices of speed 1 serve 31.25 data of 40 ms a second', async () => {
  const { status, bound, gap, placement } = await plan(scenario)
  expect(bound!.rates['cam']).toBeCloseTo(31.25, 6)
  expect([status, Object.keys(placement)]).toEqual(['optimal', ['porch', 'shed']])
  expect(gap).toBeLessThan(1e-6)
})

test('a simulation of an object: the same seed gives the same run, an own policy runs, and none beats the bound', async () => {
  const ddi = { name: 'mine', create: createDdi }
  const first = await simulate(scenario, { policies: ['confluence', 'ddi', ddi], seed: 7 })
  expect(await simulate(scenario, { policies: ['confluence', 'ddi', ddi], seed: 7 })).toEqual(first)
  const [confluence, plain, mine] = first.runs
  expect([first.scenario, mine!.policy]).toEqual(['two', 'mine'])
  expect({ ...mine, policy: 'ddi' }).toEqual(plain)
  expect(confluence!.sources[0]!.completed).toBe(50)
  for (const { throughput } of first.runs) expect(throughput).toBeLessThanOrEqual(first.bound!.scale)
  expect((await simulate(scenario, { seeds: 2 })).runs.map(({ policy, seed }) => [policy, seed])).toEqual([
    ['confluence', 1],
    ['confluence', 2]
  ])
})

test('what is wrong with an object has a code', async () => {
  const broken = { ...scenario, devices: { porch: { sped: 2 } } } as never
  await expect(plan(broken)).rejects.toMatchObject({ code: 'badScenario', message: /sped.*speed/ })
  await expect(simulate(broken)).rejects.toMatchObject({
    code: 'badScenario',
    facts: { field: 'devices.porch', problems: [expect.stringMatching(/^devices\.porch: unknown key "sped"/)] }
  })
  const unknown = simulate(scenario, { policies: ['conflunce' as never] })
  await expect(unknown).rejects.toMatchObject({ code: 'unknownPolicy', message: /did you mean confluence/ })
  await expect(simulate(scenario, { seeds: 0 })).rejects.toMatchObject({
    code: 'badOption',
    facts: { option: 'seeds' }
  })
  const unserved = { ...scenario, devices: { porch: { memory: '1KB' }, shed: { memory: '1KB' } } }
  const large = { toy: { blocks: [{ work: '1ms', weights: '1MB' }], activations: ['1KB', '1KB'] } }
  expect(await plan({ ...unserved, models: large })).toMatchObject({ status: 'infeasible', predicted: null })
})

const relu = (input: string, output: string) => ({ opType: 'Relu', input: [input], output: [output] })
const tiny = {
  inputs: { x: ['float32', ['n', 4]] },
  outputs: { y: ['float32', ['n', 4]] },
  nodes: [relu('x', 'a'), relu('a', 'b'), relu('b', 'y')]
} as const

test('a model from its bytes is the model from its file: the same blocks, byte for byte, which are models themselves', async () => {
  const file = tinyOnnxFile(tiny)
  const bytes = new Uint8Array(readFileSync(file))
  const before = bytes.slice()
  const model = await readModel(bytes, { shapes: { x: [2, 4] } })
  expect(bytes).toEqual(before)
  expect(model).toMatchObject({ nodes: 3, inputs: [{ name: 'x', type: 'float32' }], outputs: ['y'] })
  expect(model.cutPoints).toEqual([
    { index: 0, bytes: 32, tensors: [{ name: 'a', type: 'float32', shape: [2, 4] }] },
    { index: 1, bytes: 32, tensors: [{ name: 'b', type: 'float32', shape: [2, 4] }] }
  ])
  const parts = await model.cut({ parts: 3 })
  expect(await (await readModel(file, { shapes: { x: [2, 4] } })).cut({ at: [1, 0] })).toEqual(parts)
  expect(parts.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
    [['x'], ['a']],
    [['a'], ['b']],
    [['b'], ['y']]
  ])
  expect((await readModel(parts[1]!.bytes, { shapes: { a: [2, 4] } })).outputs).toEqual(['b'])
  expect((await model.cut({ tensors: ['b'] })).map(({ nodes }) => nodes)).toEqual([2, 1])
  expect(model.blocks({ parts: 2 })).toHaveLength(2)
  const { blocks, activations } = await model.profile({ parts: 2, runs: 3 })
  expect([blocks.length, activations]).toEqual([2, [32, 32, 32]])
  for (const { seconds } of blocks) expect(seconds).toBeGreaterThan(0)
})

test('quantities may be numbers: seconds, bytes, bits and data per second', async () => {
  const written = (said: boolean): ScenarioObject => ({
    devices: { porch: { memory: said ? '64KB' : 64_000 }, shed: null },
    links: { default: said ? { bandwidth: '8Mbps', latency: '2ms' } : { bandwidth: 8e6, latency: 2e-3 } },
    models: {
      rate: {
        blocks: [
          said ? { work: '20ms', weights: '10KB' } : { work: 0.02, weights: 10_000 },
          { work: said ? '35ms' : 0.035 }
        ],
        activations: said ? ['588KB', '196KB', '0B'] : [588_000, 196_000, 0],
        times: { shed: [5, 7.5] }
      }
    },
    sources: [
      {
        name: 'cam',
        device: 'porch',
        model: 'rate',
        count: 20,
        arrivals: { poisson: said ? '5/s' : 5 },
        start: said ? '1s' : 1
      }
    ],
    events: [{ at: said ? '2s' : 2, device: 'shed', speed: 0.5 }]
  })
  const numbers = written(false)
  const before = structuredClone(numbers)
  expect(await simulate(numbers)).toEqual(await simulate(written(true)))
  expect(numbers).toEqual(before)
  const wrong = { ...numbers, devices: { porch: { memory: -1 } } }
  await expect(plan(wrong)).rejects.toMatchObject({ facts: { field: 'devices.porch.memory' } })
})

test.each<[string, () => unknown, object]>([
  [
    'an option',
    () => simulate(scenario, { sed: 1 } as never),
    { facts: { option: 'sed' }, message: /did you mean "seed"/ }
  ],
  ['options', () => simulate(scenario, 3 as never), { message: /must be an object of policies, seed, seeds/ }],
  ['policies', () => simulate(scenario, { policies: 'confluence' as never }), { facts: { option: 'policies' } }],
  ['seeds', () => simulate(scenario, { seeds: 1e9 }), { facts: { option: 'seeds' } }],
  ['a hearer', () => simulate(scenario, { say: 'x' as never }), { facts: { option: 'say' } }],
  [
    'a policy',
    () => simulate(scenario, { policies: [{ name: 'mine', create: () => ({}) as never }] }),
    { code: 'badPolicy' }
  ],
  ['a creator', () => simulate(scenario, { policies: [{ name: 'mine' } as never] }), { message: /create/ }],
  ['a limit', () => plan(scenario, { timeLimit: 'long' as never }), { facts: { option: 'timeLimit' } }],
  ['an option of plan', () => plan(scenario, { timelimit: 3 } as never), { message: /did you mean "timeLimit"/ }],
  ['no scenario', () => plan(undefined as never), { code: 'badScenario' }],
  ['no model', () => readModel(undefined as never), { facts: { option: 'source' } }],
  ['a shape', () => readModel('a.onnx', { shapes: { x: [1, -2] } }), { facts: { option: 'shapes.x.1' } }]
])('%s that is wrong is refused before anything begins', async (_, call, error) => {
  await expect(async () => call()).rejects.toMatchObject({ name: 'UserError', code: 'badOption', ...error })
})

test('what is wrong with a model, a shape or a cut has a code, and names no flag', async () => {
  await expect(readModel(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({
    code: 'badModel',
    facts: { bytes: 3 },
    message: /^the model/
  })
  await expect(readModel('nowhere.onnx')).rejects.toMatchObject({ code: 'badModel', facts: { file: 'nowhere.onnx' } })
  const measured = { ...scenario, models: { toy: { file: 'nowhere.onnx' } } }
  await expect(plan(measured)).rejects.toMatchObject({
    code: 'badModel',
    facts: { model: 'toy', file: 'nowhere.onnx' }
  })
  const twice = tinyOnnx({ ...tiny, inputs: { x: ['float32', ['n', 'm']] } })
  const needed = readModel(twice)
  await expect(needed).rejects.toMatchObject({ code: 'badShape', facts: { input: 'x' } })
  await expect(needed).rejects.not.toThrow('--shape')
  await expect(readModel(twice, { shapes: { z: [1] } })).rejects.toMatchObject({ code: 'noSuchInput' })
  const model = await readModel(tinyOnnx(tiny))
  await expect(model.cut({ parts: 0 })).rejects.toMatchObject({ code: 'badCut' })
  await expect(model.cut({ at: [2] })).rejects.toMatchObject({
    code: 'badCut',
    facts: { index: 2, last: 1 },
    message: /0 to 1/
  })
  await expect(model.cut({ parts: 99 })).rejects.toMatchObject({ code: 'badCut', message: /^the model: 99 parts/ })
  await expect(model.cut({ tensors: ['x'] })).rejects.toMatchObject({ code: 'badCut', facts: { tensor: 'x' } })
  await expect(model.cut({ part: 2 } as never)).rejects.toMatchObject({
    code: 'badCut',
    message: /did you mean "parts"/
  })
  await expect(model.cut({} as never)).rejects.toMatchObject({
    code: 'badCut',
    message: /one of parts, at and tensors/
  })
  await expect(model.cut({ parts: 2, at: [0] } as never)).rejects.toMatchObject({ message: /not parts and at/ })
  await expect(model.profile({ parts: 2, runs: 0 })).rejects.toMatchObject({
    code: 'badOption',
    facts: { option: 'runs' }
  })
  expect(() => model.blocks({ at: ['a'] } as never)).toThrow(expect.objectContaining({ code: 'badCut' }))
})
