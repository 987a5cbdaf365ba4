import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

const zoo = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise(resolve => {
    execFile(process.execPath, [MAIN, 'zoo', ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-zoo-command-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('--json says what was written, and nothing else', async () => {
  const file = join(folder, 'bert.onnx')
  const { code, stdout, stderr } = await zoo('bert-tiny', '--out', file, '--seed', '7', '--sequence', '8', '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const bytes = await readFile(file)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  expect(JSON.parse(stdout)).toEqual({ file, sha256, bytes: bytes.length, parameters: 4_385_920 })
})

test('--list --json shows every model', async () => {
  const { code, stdout } = await zoo('--list', '--json')
  expect(code).toBe(0)
  const { models } = JSON.parse(stdout) as { models: { name: string; parameters: number }[] }
  expect(models.map(model => model.name)).toContain('gpt2-small-shaped')
  expect(models.find(model => model.name === 'vgg16')!.parameters).toBe(138_357_544)
})

test.each([
  [['resnet5', '--out', 'x.onnx'], /did you mean resnet56/],
  [['resnet56'], /--out resnet56\.onnx/],
  [[], /name a network/],
  [['resnet56', '--out', join('no', 'such', 'folder', 'x.onnx')], /--out no.*folder does not exist/],
  [['resnet56', '--out', 'x.onnx', '--seed', '-1'], /--seed -1/],
  [['vgg16', '--out', 'x.onnx', '--sequence', '8'], /--sequence 8/],
  [['resnet56', '--out'], /argument missing/]
])('%j is wrong use: one line, exit 2', async (args, message) => {
  const { code, stdout, stderr } = await zoo(...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(message)
})
