import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cluster } from '../../src/library/join-cluster.ts'
import { loopingModel } from '../../src/testing/looping-model.ts'
import { mixerModel } from '../../src/testing/serving-models.ts'
import { type Answer, ask, modelOf, servingCluster, untilReady } from '../serving-cluster.ts'

const cluster = servingCluster()
let shed: Cluster
let urls: readonly [shed: string, porch: string]

beforeAll(async () => {
  const mixer = modelOf(cluster.file('mixer.onnx', mixerModel()), 'mixer')
  shed = await cluster.start('shed', { models: [mixer], serve: { http: 0 } })
  const porch = await cluster.start('porch', { serve: { http: 0 } })
  urls = [shed.serving!.http!, porch.serving!.http!]
  for (const url of urls) await untilReady(url, 'mixer')
}, 180_000)
afterAll(() => cluster[Symbol.asyncDispose]())

const load = (url: string, name: string, parameters: object = {}): Promise<Answer> =>
  ask(`${url}/v2/repository/models/${name}/load`, { body: JSON.stringify({ parameters }) })
const fileOf = (bytes: Uint8Array) => ({ 'file:1/model.onnx': Buffer.from(bytes).toString('base64') })
const batchAt = (url: string, name: string, size: number): Promise<Answer> => {
  const x = { name: 'x', datatype: 'FP32', shape: [size, 4], data: Array(4 * size).fill(1) }
  return ask(`${url}/v2/models/${name}/infer`, { body: JSON.stringify({ inputs: [x] }) })
}
const mostAt = async (url: string, name: string): Promise<unknown> =>
  (await ask(`${url}/v2/models/${name}/config`)).json().max_batch_size

test('a model that another device brought is loaded already; it is configured where it was brought', async () => {
  const [, porch] = urls
  expect(await load(porch, 'mixer')).toMatchObject({ status: 200 })
  const configured = await load(porch, 'mixer', { config: '{"max_batch_size":2}' })
  expect([configured.status, configured.json().error]).toEqual([
    400,
    expect.stringContaining('brought it, shed: ask there')
  ])
  expect(await load(porch, 'nothing')).toMatchObject({ status: 404 })
  expect(await batchAt(porch, 'mixer', 3)).toMatchObject({ status: 200 })
}, 180_000)

test('max_batch_size holds wherever the model is asked for, until it is another, and after whoever brought it has gone', async () => {
  const attic = await cluster.start('attic', { serve: { http: 0 } })
  const url = attic.serving!.http!
  const [porch] = urls
  const config = (most: number) => JSON.stringify({ max_batch_size: most, input: [{ name: 'x', dims: [4] }] })
  expect(await load(url, 'few', { ...fileOf(mixerModel()), config: config(4) })).toMatchObject({ status: 200 })
  await untilReady(porch, 'few')
  expect([await mostAt(url, 'few'), await mostAt(porch, 'few'), await mostAt(porch, 'mixer')]).toEqual([4, 4, 1024])
  expect((await batchAt(porch, 'few', 5)).json().error).toMatch(/batch-size must be <= 4 for 'few'/)
  expect(await batchAt(porch, 'few', 4)).toMatchObject({ status: 200 })
  const otherwise = await load(porch, 'few', fileOf(mixerModel()))
  expect([otherwise.status, otherwise.json().error]).toEqual([400, expect.stringContaining('with max_batch_size 4')])
  expect(await load(url, 'few', { config: config(6) })).toMatchObject({ status: 200 })
  await expect.poll(() => mostAt(porch, 'few'), { timeout: 30_000 }).toBe(6)
  await attic.stop({ patience: 0 })
  await untilReady(porch, 'few')
  expect(await batchAt(porch, 'few', 7)).toMatchObject({ status: 400 })
  expect(await batchAt(porch, 'few', 6)).toMatchObject({ status: 200 })
}, 180_000)

test('two devices that load one name at the same instant: one file has it everywhere, and the other is told', async () => {
  const answers = await Promise.all([
    load(urls[0], 'same', fileOf(mixerModel())),
    load(urls[1], 'same', fileOf(loopingModel()))
  ])
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
  const winner = answers.findIndex(({ status }) => status === 200)
  expect(answers[1 - winner]!.json().error).toMatch(
    /failed to load 'same': the cluster has another file by that name, from (shed|porch): give this one another name/
  )
  const inputsAt = async (url: string): Promise<unknown> => (await ask(`${url}/v2/models/same`)).json().inputs
  await expect.poll(() => inputsAt(urls[1 - winner]!), { timeout: 10_000 }).toEqual(await inputsAt(urls[winner]!))
  for (const url of urls) await untilReady(url, 'same')
}, 180_000)
