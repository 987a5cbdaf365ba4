import { execFile } from 'node:child_process'
import { mkdtemp, readFile, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { MAIN } from '../../src/testing/node-process.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'
import { start } from '../started-nodes.ts'

// A device that takes its flags from a file, as a service does.

const run = promisify(execFile)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-config-'))
  await writeFile(join(folder, 'relu.onnx'), modelOf('Relu'))
})

const modelOf = (opType: string): Uint8Array =>
  tinyOnnx({
    inputs: { x: ['float32', [1, 4]] },
    outputs: { y: ['float32', [1, 4]] },
    nodes: [{ opType, input: ['x'], output: ['y'] }]
  })

const written = async (name: string, text: string): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

const node = (...flags: string[]) => run(process.execPath, [MAIN, 'node', ...flags])

describe('tributary node --config', () => {
  test('runs what the file says, with paths beside it, and one flag of the command line instead', async () => {
    const file = await written(
      'whole.yaml',
      `name: porch
state: state
listen: 127.0.0.1:0
mdns: false
model: { file: relu.onnx, name: r }
sources:
  - { name: a, synthetic: 3, model: r }
  - { name: b, synthetic: 4, model: r }
sink: out.jsonl
exit-when-done: true
`
    )
    const { stderr } = await node('--config', file, '--name', 'shed')
    expect(stderr).toMatch(/ info shed: /)
    const lines = (await readFile(join(folder, 'out.jsonl'), 'utf8')).trim().split('\n')
    const sources = lines.map(line => JSON.parse(line).source).sort()
    expect(sources).toEqual([...Array(3).fill('a@shed'), ...Array(4).fill('b@shed')])
  })

  test('--print-config prints what --config takes again, and begins nothing', async () => {
    const file = await written('part.yaml', 'name: porch\nport: 4001\nstate: untouched\nmemory: 64MiB\n')
    const { stdout } = await node('--config', file, '--threads', '2', '--print-config')
    expect(parse(stdout)).toMatchObject({ name: 'porch', port: 4001, threads: 2, state: join(folder, 'untouched') })
    const again = await written('again.yaml', stdout)
    expect((await node('--config', again, '--print-config')).stdout).toBe(stdout)
    await expect(readFile(join(folder, 'untouched', 'device.lock'))).rejects.toThrow('ENOENT')
  })

  test('what is wrong with it is told at once, with lines; the exit code is 2', async () => {
    const file = await written('wrong.yaml', 'name: porch\nprt: 4001\nmdns: maybe\n')
    const refused = {
      code: 2,
      stderr: `tributary: ${file}:2: unknown key "prt", did you mean "port"?\n${file}:3: mdns must be true or false\n`
    }
    await expect(node('--config', file)).rejects.toMatchObject(refused)
    const gone = join(folder, 'gone.yaml')
    await expect(node('--config', gone)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^tributary: --config .*gone\.yaml: .*no such file.*\n$/i)
    })
  })
})

describe('tributary reload', () => {
  const PATIENCE = { timeout: 120_000, interval: 100 }
  const config = (sources: string, more = 'model: { file: swapped.onnx, name: r }\nsink: one.jsonl'): string =>
    `state: reload-state\n${more}\nsources:\n${sources}`
  const A = '  - { name: a, synthetic: 300, model: r, arrivals: every:20ms }\n'
  const reload = (...flags: string[]) =>
    run(process.execPath, [MAIN, 'reload', '--state', join(folder, 'reload-state'), ...flags])
  const dataOf = async (file: string, source: string): Promise<number[]> =>
    (await readFile(join(folder, file), 'utf8'))
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
      .filter(line => line.source === source)
      .map(({ datum }) => datum)
      .sort((x, y) => x - y)
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

  test('sources, sinks and models come, change and go while others run; what is wrong is refused whole', async () => {
    await writeFile(join(folder, 'swapped.onnx'), modelOf('Relu'))
    const file = await written('reload.yaml', config(A))
    const device = start('porch', ['--config', file])
    await device.status(({ sources }) => (sources[0]?.completed ?? 0) > 5)

    const more =
      'models: [{ file: swapped.onnx, name: r }, { file: swapped.onnx, name: more }]\nsinks: [one.jsonl, two.jsonl]'
    const b = '  - { name: b, synthetic: 7, model: more }\n'
    await written('reload.yaml', config(A + b, `${more.replace('two.jsonl', '{ to: two.jsonl, sources: b }')}`))
    const { stdout } = await reload('--json')
    expect(JSON.parse(stdout)).toEqual({
      models: { added: ['more'], changed: [], removed: [] },
      sources: { added: ['b'], changed: [], removed: [], weighed: [] },
      sinks: { added: [join(folder, 'two.jsonl')], removed: [] }
    })
    await device.status(({ sources }) => sources.find(({ name }) => name === 'b')?.state === 'done')

    await writeFile(join(folder, 'swapped.onnx'), modelOf('Neg'))
    expect(JSON.parse((await reload('--json')).stdout).models).toEqual({
      added: [],
      changed: ['r', 'more'],
      removed: []
    })
    await utimes(join(folder, 'swapped.onnx'), 1, 1) // touched, not changed
    expect((await reload()).stdout).toMatch(/nothing has changed/)

    await written('reload.yaml', `port: 1\n${config(A.replace('model: r', 'modl: r'))}`)
    const wrong = expect.stringMatching(
      /^tributary: .*reload\.yaml:6: source: unknown key "modl", did you mean "model"\?/
    )
    await expect(reload()).rejects.toMatchObject({ code: 2, stderr: wrong })
    await written('reload.yaml', `threads: 2\n${config(A)}`)
    const fixed = expect.stringMatching(/reload\.yaml:1: threads is 1 and becomes 2 only with a restart\n$/)
    await expect(reload()).rejects.toMatchObject({ code: 2, stderr: fixed })
    await written('reload.yaml', config(A, 'models: [{ file: swapped.onnx, name: r }, reload.yaml]\nsinks: [x.jsonl]'))
    await expect(reload()).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('reload.yaml') })
    await expect(readFile(join(folder, 'x.jsonl'))).resolves.toHaveLength(0)

    await written('reload.yaml', config(A.replace('model: r', 'model: r, weight: 2')))
    device.child.kill('SIGHUP')
    const changed =
      /config read anew: model more removed; source b removed; source a weighed; sink .*two\.jsonl removed\n/
    await vi.waitFor(() => expect(device.log()).toMatch(changed), PATIENCE)
    await vi.waitFor(async () => expect(await dataOf('one.jsonl', 'a@porch')).toEqual(upTo(300)), PATIENCE)
    expect(device.log().match(/config refused, the old one goes on: /g)).toHaveLength(3)
    expect([await dataOf('one.jsonl', 'b@porch'), await dataOf('two.jsonl', 'b@porch')]).toEqual([upTo(7), upTo(7)])
    device.child.kill('SIGTERM')
    expect(await device.ended).toBe(0)
  })

  test('a device that was started without --config says so', async () => {
    const device = start('porch', ['--state', join(folder, 'reload-state')])
    await device.event('listening')
    await expect(reload()).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/started without a config file\n$/)
    })
  })
})

describe('the log of a device', () => {
  const FLAGS = ['--listen', '127.0.0.1:0', '--no-mdns', '--exit-when-done', '--log-format', 'json', '--name', 'porch']
  const logOf = async (file: string): Promise<Record<string, string>[]> =>
    (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))

  test('goes to a file as JSON, to its last line, and none of it to standard error', async () => {
    const log = join(folder, 'node.log')
    const model = ['--model', `${join(folder, 'relu.onnx')}:r`, '--source', 'a=synthetic:2,model=r']
    const where = ['--sink', join(folder, 'log-out.jsonl'), '--state', join(folder, 'log-state'), '--log-file', log]
    const { stderr } = await node(...FLAGS, ...model, ...where)
    expect(stderr).toBe('')
    const lines = await logOf(log)
    for (const line of lines) {
      expect(Object.keys(line).slice(0, 4)).toEqual(['time', 'level', 'name', 'message'])
      expect(line).toMatchObject({ name: 'porch', level: expect.stringMatching(/^(info|warn|error)$/) })
    }
    expect(lines.at(-1)!['message']).toMatch(/sources are done/)
  })

  test('says in the file, too, what ended the device', async () => {
    const log = join(folder, 'refused.log')
    const where = ['--state', join(folder, 'relu.onnx'), '--log-file', log]
    await expect(node(...FLAGS, ...where)).rejects.toMatchObject({ code: 2 })
    expect((await logOf(log)).at(-1)).toMatchObject({
      level: 'error',
      message: expect.stringMatching(/^ended: --state /)
    })
  })
})
