import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { RequestDesk } from '../runtime/device/requests/request-desk.ts'
import { countingModel, loneDevice, ownedCounting } from '../testing/lone-device.ts'
import { InferenceService } from './inference-service.ts'
import { ModelRepository, type ModelSource } from './model-repository.ts'
import type { ServingError } from './serving-error.ts'

const opened: RequestDesk[] = []
const folders: string[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(desk => desk.stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A device whose model adds 3, on a clock that the test moves. */
const start = async (folder?: string, starts = true) => {
  const own = [ownedCounting('net', 3)]
  const { device, clock } = loneDevice({ models: own })
  const at = { isOver: false }
  const begin = async (): Promise<void> => {
    const starting = device.start()
    await clock.advance(seconds(3))
    await starting
    at.isOver = true
  }
  if (starts) await begin()
  const wallTime = () => clock.now()
  const say = () => {}
  const desk = new RequestDesk({ device, deviceName: 'porch', life: '1', clock, wallTime, say })
  opened.push(desk)
  const createModel = ({ name }: ModelSource) => ownedCounting(name, 2)
  const hasStarted = () => at.isOver
  const repository = new ModelRepository({
    device,
    desk,
    clock,
    uploads: '',
    folder,
    own,
    createModel,
    say,
    hasStarted,
    mayReplaceOwn: false
  })
  const service = new InferenceService({ name: 'x', version: '1', desk, repository, clock, wallTime, hasStarted })
  return { device, clock, service, repository, begin }
}

test('a timeout counts from when a request is known of: one that reading it has used up is refused, and nothing is asked', async () => {
  const { device, clock, service } = await start()
  const ask = (timeout: number, arrived: number): Promise<unknown> =>
    service
      .infer({
        ...{ model: 'net', version: '', parameters: new Map([['timeout', timeout]]), outputs: undefined },
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: new Uint8Array(4) }],
        ...{ connection: {}, since: clock.now(), arrived: seconds(arrived), signal: undefined }
      })
      .then(
        () => 'answered',
        (error: ServingError) => error.problem
      )
  expect(await ask(1, clock.now() - 0.001)).toBe('deadline')
  expect(device.ownSources()).toEqual([])
  const answer = ask(2_000_000, clock.now() - 0.001)
  await clock.advance(seconds(1))
  expect(await answer).toBe('answered')
})

test('of the folder those names are told for which there is a model', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-models-'))
  folders.push(folder)
  for (const name of ['versions/1', 'versions/2', 'empty', 'other/1', 'both/1', 'named.onnx'])
    mkdirSync(join(folder, name), { recursive: true })
  for (const file of ['plain.onnx', 'both.onnx', 'read.me', 'versions/2/model.onnx', 'other/1/weights.bin'])
    writeFileSync(join(folder, file), '')
  const { repository } = await start(folder)
  await repository.lookAtFolder()
  expect(repository.index().map(({ name }) => name)).toEqual(['net', 'both', 'plain', 'versions'])
})

test('of models that were refused the latest thousand are remembered', async () => {
  const { repository } = await start('')
  const config = '{'
  for (let i = 0; i < 1200; i++)
    await expect(repository.load(`m${i}`, { config, file: new Uint8Array(1) })).rejects.toThrow(/not JSON/)
  expect(repository.index()).toHaveLength(1)
})

const problem = (asked: () => unknown): unknown => {
  try {
    return asked()
  } catch (error) {
    return (error as ServingError).problem
  }
}

test('what a node is being started with is not ready rather than unknown, and what is to be loaded waits for the start', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-models-'))
  folders.push(folder)
  writeFileSync(join(folder, 'plain.onnx'), '')
  const { service, repository, clock, begin } = await start(folder, false)
  expect(problem(() => service.isModelReady('net', ''))).toBe('notReady')
  expect(problem(() => service.metadata('net', ''))).toBe('notReady')
  expect(problem(() => service.metadata('none', ''))).toBe('noSuchModel')
  expect(repository.index()).toMatchObject([{ name: 'net', state: 'LOADING', reason: 'this node is being started' }])
  const loaded = repository.load('plain', { config: undefined, file: undefined }).then(
    () => 'loaded',
    (error: Error) => error.message
  )
  await begin()
  await clock.advance(seconds(20))
  expect(await loaded).toBe('loaded')
  expect(repository.index()).toMatchObject(['net', 'plain'].map(name => ({ name, state: 'READY' })))
})

test('a start that does not come is not waited for for ever', async () => {
  const { repository, clock } = await start('', false)
  const loaded = repository
    .load('net', { config: undefined, file: undefined })
    .catch((error: ServingError) => error.problem)
  await clock.advance(seconds(130))
  expect(await loaded).toBe('notReady')
})

test('a model whose device has gone is unavailable, and makes nobody wait for this node', async () => {
  const { device, service, repository } = await start()
  device.view.addManifest(countingModel('left', 5))
  expect(service.isModelReady('left', '')).toBe(false)
  expect(repository.index()).toMatchObject([
    { name: 'left', state: 'UNAVAILABLE', reason: expect.stringMatching(/^whoever brought it is away; block 0 of 5/) },
    { name: 'net', state: 'READY' }
  ])
  expect(service.isReady()).toBe(true)
})

test('to load what is loaded changes nothing, also where clients may not change it', async () => {
  const { repository } = await start()
  await repository.load('net', { config: undefined, file: undefined })
  await expect(repository.load('net', { config: '{}', file: undefined })).rejects.toThrow(/does not let clients change/)
})
