import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { seconds } from '../core/units.ts'
import { RequestDesk } from '../runtime/device/requests/request-desk.ts'
import { loneDevice, ownedCounting } from '../testing/lone-device.ts'
import { InferenceService } from './inference-service.ts'
import { ModelRepository } from './model-repository.ts'
import type { ServingError } from './serving-error.ts'

const opened: RequestDesk[] = []
const folders: string[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(desk => desk.stop()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A device whose model adds 3, on a clock that the test moves. */
const start = async (folder?: string) => {
  const own = [ownedCounting('net', 3)]
  const { device, clock } = loneDevice({ models: own })
  const starting = device.start()
  await clock.advance(seconds(3))
  await starting
  const wallTime = () => clock.now()
  const say = () => {}
  const desk = new RequestDesk({ device, deviceName: 'porch', life: '1', clock, wallTime, say })
  opened.push(desk)
  const createModel = () => own[0]!
  const repository = new ModelRepository({
    device,
    desk,
    clock,
    uploads: '',
    folder,
    own,
    createModel,
    say,
    mayReplaceOwn: false
  })
  const hasStarted = () => true
  const service = new InferenceService({ name: 'x', version: '1', desk, repository, clock, wallTime, hasStarted })
  return { device, clock, service, repository }
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
