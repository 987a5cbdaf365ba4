import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TensorProto_DataType as T } from 'onnx-buf'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeNpy } from '../../src/runtime/io/npy.ts'
import { buildModel, floats, type ModelParts, node, value } from '../../src/testing/onnx-builder.ts'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

const tributary = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise(resolve => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-model-commands-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const layers = Array.from({ length: 6 }, (_, i) => [
  node('MatMul', [i === 0 ? 'x' : `r${i - 1}`, `w${i}`], [`m${i}`]),
  node('Relu', [`m${i}`], [i === 5 ? 'y' : `r${i}`])
]).flat()
const MODEL: ModelParts = {
  nodes: layers,
  weights: Array.from({ length: 6 }, (_, i) => floats(`w${i}`, [32, 32], 0.2)),
  inputs: [value('x', T.FLOAT, ['batch', 32])],
  outputs: [value('y', T.FLOAT, ['batch', 32])]
}
const save = async (name: string, parts: ModelParts | string): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, typeof parts === 'string' ? parts : buildModel(parts))
  return file
}
const digest = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex')

describe('inspect', () => {
  test('--json has the blocks, and the activations between them', async () => {
    const file = await save('model.onnx', MODEL)
    const { code, stdout } = await tributary('inspect', file, '--shape', 'x=4x32', '--json')
    expect(code).toBe(0)
    const said = JSON.parse(stdout)
    expect(said).toMatchObject({ model: file, sha256: await digest(file), opset: 17, nodes: 12 })
    expect(said.blocks).toHaveLength(6)
    expect(said.blocks[2]).toEqual({
      index: 2,
      nodes: 2,
      weightBytes: 4096,
      computedBytes: 0,
      flops: 2 * 4 * 32 * 32 + 4 * 32
    })
    expect(said.activations).toHaveLength(7)
    expect(said.activations[3]).toEqual({
      index: 3,
      bytes: 512,
      tensors: [{ name: 'r2', type: 'float32', shape: [4, 32] }]
    })
  })
})

describe('cut', () => {
  test('--parts --verify --json: files as it says, exact, timed', async () => {
    const file = await save('model.onnx', MODEL)
    const flags = ['--parts', '3', '--shape', 'x=4x32', '--out', join(folder, 'parts'), '--verify', '--json']
    const { code, stdout, stderr } = await tributary('cut', file, ...flags)
    expect(stderr).toContain('comparing')
    expect(code).toBe(0)
    const { parts, verify } = JSON.parse(stdout)
    expect(parts.map((part: { nodes: number }) => part.nodes)).toEqual([4, 4, 4])
    for (const part of parts) {
      expect(part.sha256).toBe(await digest(part.file))
      expect(part.bytes).toBe((await readFile(part.file)).length)
    }
    expect(verify.maxAbsDiff).toBe(0)
    for (const key of ['maxRelDiff', 'ratio', 'wholeMs', 'chainMs']) expect(verify[key]).toBeGreaterThanOrEqual(0)
  })

  test('--at cuts where inspect numbers it', async () => {
    const file = await save('model.onnx', MODEL)
    const { stdout } = await tributary('cut', file, '--at', '1,5', '--out', join(folder, 'at'), '--json')
    expect(JSON.parse(stdout).parts.map((part: { nodes: number }) => part.nodes)).toEqual([2, 8, 2])
  })

  test('wrong use and unreadable input: exit 2, the reason, nothing on stdout', async () => {
    const file = await save('model.onnx', MODEL)
    const text = await save('text.onnx', 'no model at all')
    const out = ['--out', join(folder, 'wrong'), '--json']
    const wrong: (readonly [string[], RegExp])[] = [
      [[file, ...out], /--parts N or --at/],
      [[file, '--parts', 'x', ...out], /--parts "x" is not a whole number/],
      [[file, '--parts', '99', ...out], /ask for at most 12 parts/],
      [[file, '--at', '9', ...out], /"9" is not a cut point; inspect numbers them 1 to 5/],
      [[file, '--parts', '2', '--shape', 'x=4x33', ...out], /--shape x=4x33 does not fit/],
      [[file, '--parts', '2', '--shape', 'x', ...out], /--shape "x" is not INPUT=DIMS/],
      [[file, '--parts', '2', '--out', text], /text\.onnx/],
      [[text, '--parts', '2', ...out], /text\.onnx: not an ONNX model/],
      [[join(folder, 'absent.onnx'), '--parts', '2', ...out], /absent\.onnx/]
    ]
    for (const [args, reason] of wrong) {
      const { code, stdout, stderr } = await tributary('cut', ...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(reason)
      expect(stderr).not.toMatch(/\n {4}at /) // no stack
    }
  })

  test('a model that does not run on made-up input is cut, and --verify says that nothing was compared: exit 1', async () => {
    const file = await save('picky.onnx', {
      nodes: [node('Reshape', ['x', 'shape'], ['a']), node('Relu', ['a'], ['y'])],
      inputs: [value('x', T.FLOAT, [6]), value('shape', T.INT64, [2])],
      outputs: [value('y', T.FLOAT)]
    })
    const flags = ['--parts', '2', '--out', join(folder, 'picky'), '--verify', '--json']
    const { code, stdout } = await tributary('cut', file, ...flags)
    expect(code).toBe(1)
    expect(JSON.parse(stdout).parts).toHaveLength(2)

    const npy = async (name: string, array: Parameters<typeof encodeNpy>[0]): Promise<string> => {
      await writeFile(join(folder, name), encodeNpy(array))
      return join(folder, name)
    }
    const floats = new Uint8Array(Float32Array.of(1, -2, 3, -4, 5, -6).buffer)
    const data = await npy('x.npy', { type: 'float32', dims: [6], data: floats })
    const shape = (a: bigint, b: bigint) => new Uint8Array(BigInt64Array.of(a, b).buffer)
    const two = await npy('two.npy', { type: 'int64', dims: [2], data: shape(2n, 3n) })
    const three = await npy('three.npy', { type: 'int64', dims: [2], data: shape(3n, 2n) })
    const inputs = (...named: string[]) => named.flatMap(text => ['--inputs', text])
    const real = await tributary('cut', file, ...flags, ...inputs(`x=${data}`, `shape=${two}`))
    expect(real.code).toBe(0)
    const [y] = JSON.parse(real.stdout).verify.outputs
    expect(y).toMatchObject({ name: 'y', difference: 0, magnitude: 5, ok: true, tolerance: { kind: 'float32' } })
    const twice = inputs(`x=${data}`, `shape=${two}`, `x=${data}`, `shape=${three}`)
    expect((await tributary('cut', file, ...flags, ...twice)).code).toBe(0)

    const refused = async (...args: string[]) => (await tributary('cut', file, ...args)).stderr
    expect(await refused(...flags, ...inputs(data))).toMatch(/--inputs .*x\.npy: say for which input, like x=/)
    expect(await refused(...flags, ...inputs(`x=${data}`))).toMatch(/0 files for input "shape", 1 for another/)
    expect(await refused(...flags, ...inputs(`x=${two}`, `shape=${two}`))).toMatch(/two\.npy: its shape \(2\)/)
    expect(await refused('--parts', '2', '--out', folder, ...inputs(`x=${data}`))).toMatch(/add --verify/)
  })
})

test('profile --json times every block', async () => {
  const file = await save('model.onnx', MODEL)
  const { code, stdout } = await tributary('profile', file, '--runs', '3', '--json')
  expect(code).toBe(0)
  const { blocks, activations, runs } = JSON.parse(stdout)
  expect([blocks.length, activations.length, runs]).toEqual([6, 7, 3])
  for (const block of blocks) expect(block.seconds).toBeGreaterThanOrEqual(block.least)
})
