import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { parseScenario } from '../core/scenario.ts'
import { modelProfiles } from './model-profiles.ts'
import { digestOf, type MeasuredModel, writeCosts } from './saved-costs.ts'

let folder: string
let model: string
let costs: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-costs-'))
  model = join(folder, 'rec.onnx')
  costs = join(folder, 'costs.json')
  await writeFile(model, 'the bytes of a model')
})
beforeEach(() => rm(costs, { force: true }))
afterAll(() => rm(folder, { recursive: true, force: true }))

const measured = async (change: Partial<MeasuredModel> = {}): Promise<MeasuredModel> => ({
  file: model,
  sha256: await digestOf(model),
  shapes: ['x=1x3'],
  maxBlocks: 12,
  threads: 1,
  runs: 20,
  blocks: [
    { seconds: 0.25, bytes: 100 },
    { seconds: 0.5, bytes: 50 }
  ],
  activations: [1000, 500, 10],
  unencodable: [0, 20, 0],
  ...change
})

const scenario = (change: object = {}) =>
  parseScenario(
    {
      devices: { a: {} },
      models: { ocr: { file: model, shape: 'x=1x3', ...change } },
      sources: [{ name: 's', device: 'a', model: 'ocr' }]
    },
    'here'
  )

const profiles = (of = scenario(), files = [costs]) => modelProfiles(of, () => {}, files)

test('what was saved is what is planned with, to the last digit, and nothing is measured', async () => {
  await writeCosts(costs, 'out', await measured())
  // The file is no ONNX model: measuring it would fail.
  expect(await profiles()).toEqual([
    {
      name: 'ocr',
      pinned: false,
      work: [0.25, 0.5],
      weights: [100, 50],
      activations: [1000, 500, 10],
      unencodable: [0, 20, 0]
    }
  ])
})

test('what the scenario says of a file itself goes with what was saved: its times by device, a pinned block', async () => {
  await writeCosts(costs, 'out', await measured())
  expect((await profiles(scenario({ times: { a: [7, '8ms'] }, pinned: 'source' })))[0]).toMatchObject({
    pinned: true,
    work: [0.25, 0.5],
    times: [[0.007, 0.008]]
  })
  await expect(profiles(scenario({ times: { a: [7, 8, 9] } }))).rejects.toThrow(
    /^models\.ocr\.times: 3 times for 2 blocks, which is what the file is cut into; give one for each, or other maxBlocks$/
  )
})

test('a file keeps what it has of other models and shapes; the same again takes its place', async () => {
  await writeCosts(costs, 'out', await measured())
  await writeCosts(
    costs,
    'out',
    await measured({ shapes: ['x=1x9'], blocks: [{ seconds: 9, bytes: 1 }], activations: [1, 1], unencodable: [0, 0] })
  )
  await writeCosts(
    costs,
    'out',
    await measured({ blocks: [{ seconds: 1, bytes: 1 }], activations: [1, 1], unencodable: [0, 0] })
  )
  expect(JSON.parse(await readFile(costs, 'utf8')).models).toHaveLength(2)
  expect((await profiles())[0]!.work).toEqual([1])
  expect((await profiles(scenario({ shape: 'x=1x9' })))[0]!.work).toEqual([9])
})

test('another cut or shape is refused with what is there and how to measure', async () => {
  await writeCosts(costs, 'out', await measured())
  await expect(profiles(scenario({ maxBlocks: 4 }))).rejects.toThrow(
    /^costs .*costs.json: models.ocr: has .*rec.onnx with shape x=1x3, at most 12 blocks.* not with shape x=1x3, at most 4 blocks; measure it$/
  )
})

test('another version of the file is refused: its digest differs', async () => {
  await writeCosts(costs, 'out', await measured({ sha256: 'ab'.repeat(32) }))
  const own = join(folder, 'own.json')
  await writeCosts(own, 'out', await measured({ sha256: 'ab'.repeat(32) }))
  await expect(profiles(scenario(), [own])).rejects.toThrow(
    /sha256 of .*rec.onnx is .*another version of it, abababababab/
  )
})

test('costs of another machine, and what are no costs, are refused in a line', async () => {
  const other = join(folder, 'other.json')
  await writeCosts(costs, 'out', await measured())
  await writeCosts(other, 'out', await measured())
  await writeFile(other, (await readFile(other, 'utf8')).replace(/"machine": "[^"]*"/, '"machine": "a board, 4 cores"'))
  await expect(profiles(scenario(), [other])).rejects.toThrow(
    /machine: measured on "a board, 4 cores".*measure here, into another file$/
  )
  await expect(writeCosts(other, 'out', await measured())).rejects.toThrow(/machine: measured on/)
  for (const [text, expected] of [
    ['{', /not JSON; write it anew$/],
    ['{"costs":2,"machine":"m","models":[]}', /costs: must be 1/],
    [
      (await readFile(costs, 'utf8')).replace('0.25', '-1'),
      /models\[0\]\.blocks\[0\]\.seconds: must be at least 0, not -1/
    ],
    [(await readFile(costs, 'utf8')).replace('"activations": [', '"activations": [7,'), /one more than the blocks/]
  ] as const) {
    await writeFile(other, text)
    await expect(profiles(scenario(), [other])).rejects.toThrow(expected)
  }
  await expect(profiles(scenario(), [join(folder, 'none.json')])).rejects.toThrow(/no such file.*; write it anew$/)
})
