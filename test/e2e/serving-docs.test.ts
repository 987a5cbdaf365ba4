import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mixerModel } from '../../src/testing/serving-models.ts'
import { modelOf, servingCluster, untilReady } from '../serving-cluster.ts'

/** The blocks of docs/serving.md do what they show, with the clients that are here. */

const cluster = servingCluster()
let at: string

beforeAll(async () => {
  const models = [modelOf(cluster.file('mine.onnx', mixerModel()), 'mine')]
  const { serving } = await cluster.start('shed', { models, serve: { http: 0 } })
  await untilReady(serving!.http!, 'mine')
  at = new URL(serving!.http!).host
})
afterAll(() => cluster[Symbol.asyncDispose]())

const run = promisify(execFile)
const block = (language: string): string => {
  const [, text] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(readFileSync('docs/serving.md', 'utf8'))!
  return text!.replaceAll('localhost:8000', at)
}
const has = (command: string, ...words: string[]): boolean => spawnSync(command, words).status === 0

test.skipIf(!has('curl', '--version'))('curl', async () => {
  const { stdout } = await run('bash', ['-ec', block('bash').replace(/\ncurl/g, '\necho; curl')])
  const answers = stdout.split('\n').filter(line => /^[[{]/.test(line))
  const [metadata, batch, named, index] = answers.map(line => JSON.parse(line))
  expect([metadata.name, batch.model_name, named.model_name]).toEqual(['mine', 'mine', 'mine'])
  expect(index).toEqual([{ name: 'mine', version: '1', state: 'READY', reason: '' }])
  expect(batch.outputs[0].shape).toEqual([2, 3])
  expect(named.outputs.map(({ name }: { name: string }) => name)).toEqual(['y'])
})

test.skipIf(!has('curl', '--version'))('curl, with a file and a token', async () => {
  const [, text] = /```bash\n(echo [\s\S]*?)```/.exec(readFileSync('docs/serving.md', 'utf8'))!
  writeFileSync(join(cluster.folder, 'token.txt'), 'nobody-asks-for-it\n')
  const { stdout } = await run('bash', ['-ec', text!.replaceAll('localhost:8000', at)], { cwd: cluster.folder })
  expect(JSON.parse(stdout).outputs[0].shape).toEqual([1, 3])
})

test('JavaScript', async () => {
  const file = join(cluster.folder, 'client.mjs')
  writeFileSync(file, block('js'))
  const { stdout } = await run(process.execPath, [file])
  expect(stdout).toMatch(/^\[ 1, 3 \] \[ 0\.\d+, 0\.\d+, 0\.\d+ \]/)
})

test('Python', async context => {
  if (!has('python3', '-c', 'import tritonclient.http, numpy'))
    return context.skip('tritonclient is absent: pip install tritonclient[http]')
  const { stdout } = await run('python3', ['-c', block('python')])
  expect(stdout).toMatch(/\[\[0\..*'shape': \[-1, 4\]/s)
})
