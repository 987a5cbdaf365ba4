import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { encodeNpy } from '../../src/runtime/io/npy.ts'
import { MAIN } from '../../src/testing/node-process.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'

// What a device can know to be wrong it says when it is started, in one line; what comes of a run is in its exit code.

const run = promisify(execFile)
let folder: string
let children: ChildProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-refusals-'))
  // Adds to a table of ten the row that the index names: an index of 10 or more cannot be computed.
  await writeFile(
    join(folder, 'rows.onnx'),
    tinyOnnx({
      inputs: { x: ['float32', [1, 4]], i: ['int64', [1]] },
      outputs: { y: ['float32', [1, 4]] },
      nodes: [
        { opType: 'Gather', input: ['table', 'i'], output: ['row'] },
        { opType: 'Add', input: ['x', 'row'], output: ['y'] }
      ],
      initializers: [
        { name: 'table', dataType: 1, dims: [10n, 4n], floatData: Array.from({ length: 40 }, (_, k) => k) }
      ]
    })
  )
  await writeFile(
    join(folder, 'relu.onnx'),
    tinyOnnx({
      inputs: { x: ['float32', [1, 4]] },
      outputs: { y: ['float32', [1, 4]] },
      nodes: [{ opType: 'Relu', input: ['x'], output: ['y'] }]
    })
  )
})

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let count = 0
const flags = (more: readonly string[]): readonly string[] => {
  const state = join(folder, `state-${count++}`)
  return [
    'node',
    '--name',
    'cam',
    '--state',
    state,
    '--no-mdns',
    '--listen',
    '127.0.0.1:0',
    '--exit-when-done',
    ...more
  ]
}
const node = async (...more: readonly string[]): Promise<{ code: number; stderr: string }> => {
  try {
    return { code: 0, stderr: (await run(process.execPath, [MAIN, ...flags(more)])).stderr }
  } catch (error) {
    return error as { code: number; stderr: string }
  }
}
/** A folder of files an hour old. */
const folderOf = async (name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> => {
  const path = join(folder, name)
  await mkdir(path)
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(path, file), content)
    const then = Date.now() / 1000 - 3600
    await utimes(join(path, file), then, then)
  }
  return path
}
const npy = (dims: readonly number[], type: 'float32' | 'int64', values: readonly number[]): Uint8Array => {
  const data = type === 'float32' ? Float32Array.from(values) : BigInt64Array.from(values, BigInt)
  return encodeNpy({ type, dims, data: new Uint8Array(data.buffer) })
}
const row = npy([1, 4], 'float32', [1, 2, 3, 4])

describe('refused at the start, in one line', () => {
  test('a preset that fits no file of a folder', async () => {
    const texts = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`${i}.txt`, 'words']))
    const dir = await folderOf('texts', texts)
    const { code, stderr } = await node(
      ...['--model', `${join(folder, 'relu.onnx')}:net`, '--source', `s=dir:${dir},model=net`],
      ...['--preset', 'raw', '--sink', join(folder, 'texts.jsonl')]
    )
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /tributary: --source dir:\S+: --preset raw fits none of 100 of its 150 files that were tried, the first: /
    )
    expect(stderr.split('\n').filter(line => line.includes('.txt'))).toHaveLength(1)
    expect(await readFile(join(folder, 'texts.jsonl'), 'utf8').catch(() => '')).toBe('')
  })

  test('dimensions left open: of data that come by themselves they need not be said, and are where somebody cuts', async () => {
    const model = join(folder, 'open.onnx')
    await writeFile(
      model,
      tinyOnnx({
        inputs: { x: ['float32', ['n', 'm']] },
        outputs: { y: ['float32', ['n', 'm']] },
        nodes: [{ opType: 'Relu', input: ['x'], output: ['y'] }]
      })
    )
    const dir = await folderOf('arrays', { 'a.npy': row })
    const sink = join(folder, 'open.jsonl')
    const owner = ['--model', `${model}:net`, '--source', `s=dir:${dir},model=net`, '--preset', 'raw', '--sink', sink]
    expect(await node(...owner)).toMatchObject({ code: 0 })
    expect(JSON.parse(await readFile(sink, 'utf8'))).toMatchObject({ item: 'a.npy', attempts: 1 })
    const cut = run(process.execPath, [MAIN, 'cut', model, '--parts', '1', '--out', join(folder, 'open')])
    await expect(cut).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('input "x" has the dynamic shape [n, m]; fix it, for example with --shape x=1x16')
    })
  })

  test('labels for other classes than the model has, though the cluster is not complete', async () => {
    const dir = await folderOf('rows', { 'a.npy': row })
    await writeFile(join(folder, 'labels.txt'), 'a\nb\nc\n')
    await writeFile(join(folder, 'io.yaml'), 'input: { kind: npy }\noutput: { kind: topk, labels: labels.txt }\n')
    const { code, stderr } = await node(
      ...['--model', `${join(folder, 'relu.onnx')}:net`, '--source', `s=dir:${dir},model=net`, '--start-when', '3'],
      ...['--io', join(folder, 'io.yaml'), '--sink', join(folder, 'labels.jsonl')]
    )
    expect({ code, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({
      code: 2,
      last: `tributary: --io ${join(folder, 'io.yaml')}: output.labels labels.txt has 3 labels; the model's output "y" float32[1, 4] has 4 classes: give one a class, or set output.name`
    })
  })

  test.each([
    ['one name twice', ['relu.onnx:net', 'rows.onnx:net'], /both are called net; give one another name/],
    ['names that differ in case only', ['relu.onnx:Net', 'rows.onnx:net'], /Net and net differ in case only/]
  ])('two models: %s', async (_, models, words) => {
    const { code, stderr } = await node(...models.flatMap(model => ['--model', join(folder, model)]))
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('a state that cannot be written, without a stack', async () => {
    const state = join(folder, 'unwritable')
    await mkdir(join(state, 'device.lock'), { recursive: true }) // refused to everybody, also to root
    const { code, stderr } = await node('--state', state)
    expect({ code, last: stderr.trimEnd() }).toEqual({
      code: 2,
      last: `tributary: --state ${state}: is a folder, not a file (EISDIR) (at ${join(state, 'device.lock')}); make room or give leave to write there, or choose another folder`
    })
  })

  test('a pipe as a model', async () => {
    const path = join(folder, 'pipe.onnx')
    await run('mkfifo', [path])
    const { code, stderr } = await node('--model', `${path}:net`)
    expect({ code, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({
      code: 2,
      last: `tributary: ${path}: not a file; name the .onnx file`
    })
  })
})

describe('--exit-when-done', () => {
  const gather = (dir: string, sink: string) => [
    ...['--model', `${join(folder, 'rows.onnx')}:net`, '--source', `s=dir:${dir},model=net`, '--preset', 'raw'],
    ...['--sink', join(folder, sink)]
  ]
  const item = (i: number) => npy([1], 'int64', [i])

  test('0 where every file has a result or is no item, 1 where one could not be computed', async () => {
    const good = { 'a.x.npy': row, 'a.i.npy': item(3), 'b.x.npy': row, 'b.i.npy': item(9) }
    const fine = await folderOf('fine', { ...good, 'c.x.npy': 'no array', 'c.i.npy': 'nor this' })
    expect(await node(...gather(fine, 'fine.jsonl'))).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'fine.jsonl'), 'utf8')).toMatch(
      /"item":"c","failed":true,"cause":".*","attempts":0/
    )
    const bad = await folderOf('bad', { ...good, 'c.x.npy': row, 'c.i.npy': item(99) })
    const { code, stderr } = await node(...gather(bad, 'bad.jsonl'))
    expect({ code, said: /source s: 2 of 3 have a result, 1 have failed; the sink says why/.test(stderr) }).toEqual({
      code: 1,
      said: true
    })
    expect(await readFile(join(folder, 'bad.jsonl'), 'utf8')).toMatch(/"item":"c","failed":true/)
  })

  test('1 where nothing has a result', async () => {
    const dir = await folderOf('late', { 'a.x.npy': '', 'a.i.npy': '' }) // empty: it might still be written
    const { code, stderr } = await node(...gather(dir, 'late.jsonl'))
    expect({ code, said: /source s: 0 of 1 have a result/.test(stderr) }).toEqual({ code: 1, said: true })
  })
})

describe('Ctrl-C before a device has begun', () => {
  test('ends it at once and every process that it started, without a stack; its state can be used again', async () => {
    const all = flags(['--model', `${join(folder, 'relu.onnx')}:net`])
    // Calibrating takes most of the time before the model is cut.
    const child = spawn(process.execPath, [MAIN, ...all], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    children.push(child)
    let said = ''
    child.stderr!.on('data', chunk => {
      said += chunk
    })
    const ended = new Promise<number | string | null>(resolve =>
      child.once('close', (code, how) => resolve(code ?? how))
    )
    const incarnation = join(all[all.indexOf('--state') + 1]!, 'incarnation')
    for (let begun = false; !begun; )
      begun = await readFile(incarnation).then(
        () => true,
        () => false
      )
    await new Promise(resolve => setTimeout(resolve, 100)) // it has written that just before it calibrates
    process.kill(-child.pid!, 'SIGINT') // as a terminal does: the whole group
    expect([130, 'SIGINT'], said).toContain(await ended)
    expect(said).not.toMatch(/^ {4}at /m)
    await expect
      .poll(() =>
        run('pgrep', ['-g', String(child.pid)]).then(
          () => 'alive',
          () => 'none'
        )
      )
      .toBe('none')
    const again = spawn(process.execPath, [MAIN, ...all.filter(flag => flag !== '--exit-when-done'), '--json-events'])
    children.push(again)
    await new Promise<void>(resolve => again.stdout.on('data', chunk => /"listening"/.test(String(chunk)) && resolve()))
    expect(
      (await readdir(join(all[all.indexOf('--state') + 1]!, 'models'))).filter(name => name.startsWith('draft'))
    ).toEqual([])
  })
})

describe('what is printed and finds nobody', () => {
  const shell = async (command: string): Promise<{ stdout: string; stderr: string }> =>
    run('bash', ['-c', `set -o pipefail; ${command}; echo "exit \${PIPESTATUS[*]}"`])

  test('a reader that has seen enough: no stack, and the command ends as if all had been read', async () => {
    const { stdout, stderr } = await shell(`'${process.execPath}' '${MAIN}' node --help | true`)
    expect({ stdout, stderr }).toEqual({ stdout: 'exit 0 0\n', stderr: '' })
  })

  test('a device whose log has lost its reader goes on', async () => {
    const dir = await folderOf('unread', { 'a.npy': row, 'b.npy': row })
    const sink = join(folder, 'unread.jsonl')
    const all = flags(['--model', `${join(folder, 'relu.onnx')}:net`, '--sink', sink])
    const source = ['--source', `s=dir:${dir},model=net`, '--preset', 'raw', '--json-events']
    const words = [...all, ...source].map(word => `'${word}'`).join(' ')
    const { stdout } = await shell(`'${process.execPath}' '${MAIN}' ${words} 2>&1 | true`)
    expect(stdout).toBe('exit 0 0\n')
    expect((await readFile(sink, 'utf8')).trim().split('\n')).toHaveLength(2)
  })

  test.skipIf(process.platform !== 'linux')('a full disk: exit 1 and why', async () => {
    const { stdout, stderr } = await shell(`'${process.execPath}' '${MAIN}' node --help > /dev/full`)
    expect(stdout).toBe('exit 1\n')
    expect(stderr).toMatch(/^tributary: not all could be printed: .*ENOSPC/)
  })
})
