import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MAIN } from '../../src/testing/node-process.ts'
import { mixerModel } from '../../src/testing/serving-models.ts'
import { ask, untilReady } from '../serving-cluster.ts'
import { start } from '../started-nodes.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-changes-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

const state = (name: string): string[] => ['--state', join(folder, name)]

test('a name is taken out of the cluster alone; what is in it, when no name of it is left', async () => {
  const file = join(folder, 'mixer.onnx')
  writeFileSync(file, mixerModel())
  const flags = ['--model', `${file}:first`, '--model', `${file}:alias`, '--serve', '0']
  const shed = start('shed', [...state('shed'), ...flags])
  const { http } = (await shed.event('serving')) as { readonly http: { readonly port: number } }
  const url = `http://127.0.0.1:${http.port}`
  for (const name of ['first', 'alias']) await untilReady(url, name)
  const remove = async (name: string): Promise<string> =>
    (await promisify(execFile)(process.execPath, [MAIN, 'model', 'remove', name, ...state('shed')])).stdout
  const statusOf = async (name: string): Promise<number> => (await ask(`${url}/v2/models/${name}`)).status
  expect(await remove('first')).toMatch(/^first \([0-9a-f]+\) leaves the cluster\n$/)
  expect([await statusOf('first'), await statusOf('alias')]).toEqual([404, 200])
  expect((await ask(`${url}/v2/models/alias/ready`)).status).toBe(200)
  expect(await remove('alias')).toMatch(/^alias /)
  expect(await statusOf('alias')).toBe(404)
})
