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
  await expect(simulate(broken)).rejects.toMatchObject({ code: 'badScenario' })
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

test('what is wrong with a model, a shape or a cut has a code, and names no flag', async () => {
  await expect(readModel(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'badModel' })
  await expect(readModel('nowhere.onnx')).rejects.toMatchObject({ code: 'badModel' })
  const twice = tinyOnnx({ ...tiny, inputs: { x: ['float32', ['n', 'm']] } })
  const needed = readModel(twice)
  await expect(needed).rejects.toMatchObject({ code: 'badShape', facts: { input: 'x' } })
  await expect(needed).rejects.not.toThrow('--shape')
  await expect(readModel(twice, { shapes: { z: [1] } })).rejects.toMatchObject({ code: 'noSuchInput' })
  const model = await readModel(tinyOnnx(tiny))
  await expect(model.cut({ parts: 0 })).rejects.toMatchObject({ code: 'badCut' })
  await expect(model.cut({ at: [2] })).rejects.toMatchObject({ code: 'badCut', message: /0 to 1/ })
})
