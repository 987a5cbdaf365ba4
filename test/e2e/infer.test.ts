import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { decodeNpy, encodeNpy } from '../../src/runtime/io/npy.ts'
import { SIDE, yoloModel } from '../../src/testing/detector-models.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { tinyOnnx } from '../../src/testing/tiny-onnx.ts'

const TOKEN = 'a-token-of-some-length'
let folder: string
let node: NodeProcess
let url: string
let invite: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-infer-'))
  const relu = (input: string, output: string) => ({ opType: 'Relu', input: [input], output: [output] })
  const model = tinyOnnx({
    inputs: { x: ['float32', [1, 4]] },
    outputs: { y: ['float32', [1, 4]] },
    nodes: [relu('x', 'a'), relu('a', 'y')]
  })
  await writeFile(join(folder, 'relu.onnx'), model)
  await writeFile(join(folder, 'yolo.onnx'), yoloModel())
  await writeFile(join(folder, 'token'), TOKEN)
  await writeFile(join(folder, 'x.npy'), row([1, -2, 3, -4]))
  await writeFile(join(folder, 'b.npy'), row([-1, 2, -3, 4]))
  await writeFile(join(folder, 'wrong.npy'), encodeNpy({ type: 'float32', dims: [3], data: new Uint8Array(12) }))
  const pixels = Buffer.from(Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (i * 7919) % 256))
  const raw = { width: SIDE, height: SIDE, channels: 3 as const }
  await writeFile(join(folder, 'noise.png'), await sharp(pixels, { raw }).png().toBuffer())
  const models = ['relu', 'yolo'].flatMap(name => ['--model', `${join(folder, `${name}.onnx`)}:${name}`])
  const flags = ['--state', join(folder, 'shed'), '--serve', '0', '--serve-token-file', join(folder, 'token')]
  node = startNode('shed', [...flags, ...models])
  invite = String((await node.event('listening'))['invite'])
  const { http } = (await node.event('serving')) as { http: string | { host: string; port: number } }
  url = typeof http === 'string' ? new URL(http).origin : `http://${http.host}:${http.port}`
  await node.status(({ placement }) => placement.ready && Object.keys(placement.models).length === 2)
})
afterAll(async () => {
  node?.child.kill('SIGKILL')
  await node?.ended
  await rm(folder, { recursive: true, force: true })
})

const row = (numbers: readonly number[]): Uint8Array =>
  encodeNpy({ type: 'float32', dims: [1, numbers.length], data: new Uint8Array(Float32Array.from(numbers).buffer) })

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
const infer = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  new Promise(resolve => {
    const options = { cwd: folder, env: { ...process.env, HOME: folder, ...env } }
    execFile(process.execPath, [MAIN, 'infer', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })
const answer = (numbers: readonly number[]) => ({ y: { type: 'float32', dims: [1, 4], data: numbers } })
const BOTH = {
  answers: [
    { item: 'x.npy', result: answer([1, 0, 3, 0]) },
    { item: 'b.npy', result: answer([0, 2, 0, 4]) }
  ]
}
const asked = async (args: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await infer([...args, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}
const token = ['--token-file', 'token']

describe('a server', () => {
  test('is asked by its URL, whichever way that names the model', async () => {
    const wanted = { model: 'relu', ...BOTH }
    for (const path of ['/v2/models/relu/versions/1', '/relu'])
      expect(await asked([`${url}${path}`, 'x.npy', 'b.npy', ...token])).toEqual(wanted)
  })

  test('answers for people, with a preset', async () => {
    const { code, stdout } = await infer([`${url}/yolo`, 'noise.png', '--preset', 'detect', ...token])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^noise\.png: \[\{"index":\d,.*"box":\[/)
  })

  test('a picture without a preset: exit 1, and that one is missing', async () => {
    const { code, stdout } = await infer([`${url}/yolo`, 'noise.png', ...token])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^noise\.png: no answer: it is not a \.npy file; --preset says how .*detect/)
  })

  test('what is large is a file', async () => {
    const flags = ['--preset', 'raw', '--out', 'results', ...token]
    await writeFile(join(folder, 'picture.npy'), encodeNpy(picture()))
    expect((await infer([`${url}/yolo`, 'picture.npy', ...flags])).code).toBe(0)
    const [file] = await readdir(join(folder, 'results'))
    expect(decodeNpy(await readFile(join(folder, 'results', file!)))).toMatchObject({
      type: 'float32',
      dims: [1, 9, 64]
    })
  })
})

const picture = () => {
  const data = new Uint8Array(Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (i % 255) / 255).buffer)
  return { type: 'float32' as const, dims: [1, 3, SIDE, SIDE], data }
}

/** Until nobody asks any more and all is as it was. */
const isLeft = (): Promise<ClusterStatus> =>
  node.next(
    ({ devices, guests, placement }) =>
      guests.length === 0 &&
      devices.map(({ name }) => name).join() === 'shed' &&
      Object.keys(placement.models).sort().join() === 'relu,yolo'
  )

describe('a cluster', () => {
  test('is joined for one job, as the device here is reached or by an invite, and left as it was', async () => {
    expect(await asked(['relu', 'x.npy', 'b.npy', '--state', 'shed'])).toEqual({ model: 'relu', ...BOTH })
    await writeFile(join(folder, 'invite.txt'), invite, { mode: 0o600 })
    expect(await asked(['relu', 'x.npy', 'b.npy', '--join-file', 'invite.txt'])).toEqual({ model: 'relu', ...BOTH })
    const { losses } = await isLeft()
    expect(losses.devicesLost).toBe(0)
    expect(await readFile(join(folder, 'shed', 'peers.json'), 'utf8').catch(() => 'none')).not.toContain('infer-')
  })

  test('takes a model along, and needs none where it brings one', async () => {
    expect(await asked(['relu.onnx', 'x.npy', 'b.npy'])).toMatchObject(BOTH)
    expect(await asked(['relu.onnx', 'x.npy', 'b.npy', '--state', 'shed'])).toMatchObject(BOTH)
    await isLeft()
  })
})

describe('no answer', () => {
  test('some files that are not what they should be: exit 1, the others are answered', async () => {
    const { code, stdout } = await infer([`${url}/relu`, 'x.npy', 'wrong.npy', 'none.npy', '--json', ...token])
    expect(code).toBe(1)
    const { answers } = JSON.parse(stdout)
    expect(answers[0]).toEqual(BOTH.answers[0])
    expect(answers[1]).toEqual({ item: 'wrong.npy', failed: expect.stringMatching(/its shape \(3\) does not fit/) })
    expect(answers[2]).toEqual({ item: 'none.npy', failed: expect.stringMatching(/no such file/) })
  })

  test('a model that the cluster has not: exit 1, with those that it has', async () => {
    const { code, stderr } = await infer(['none', 'x.npy', '--state', 'shed', '--timeout', '3'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /"none" is not in the cluster \(there: relu, yolo\)|"none" is not in the cluster \(there: yolo, relu\)/
    )
  })

  test('a server that says nothing: exit 1 when the time is over', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const { code, stderr } = await infer([`http://127.0.0.1:${port}/relu`, 'x.npy', '--timeout', '0.5'])
    silent.close()
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('did not answer within 0.5 s') })
  })

  test.each([
    ['a server that is not there', ['http://127.0.0.1:1/relu', 'x.npy'], /does not answer/],
    ['no token', () => [`${url}/relu`, 'x.npy'], /401/],
    ['no such model', () => [`${url}/none`, 'x.npy', ...token], /404/],
    ['several, and none is named', () => [url, 'x.npy', ...token], /names no model.*relu, yolo/],
    ['no cluster', ['relu', 'x.npy', '--state', 'nowhere'], /no device runs/],
    ['a preset that is none', ['relu.onnx', 'x.npy', '--preset', 'smell'], /not known/],
    ['two ways to read', ['relu.onnx', 'x.npy', '--preset', 'raw', '--io', 'a.yaml'], /exclude each other/],
    ['no policy', ['relu', 'x.npy', '--policy', 'luck', '--state', 'shed'], /--policy "luck"/],
    ['a file that is no model', ['x.onnx', 'x.npy'], /x\.onnx/],
    ['nothing to send', ['relu'], /files/]
  ] as const)('%s: exit 2, and why', async (_, args, why) => {
    const { code, stdout, stderr } = await infer(typeof args === 'function' ? args() : args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(why)
  })
})

test('the examples of the help are words that are taken', async () => {
  const { stdout } = await infer(['--help'])
  const lines = [...stdout.matchAll(/^ +\$ tributary infer (.*)$/gm)].map(([, line]) => line!)
  expect(lines).toHaveLength(3)
  const [last] = lines.slice(-1)
  expect(await infer(last!.replace('model.onnx', 'relu.onnx').split(' '))).toMatchObject({ code: 0 })
  for (const line of lines.slice(0, 2)) {
    const args = line
      .replace('http://localhost:8000', 'http://127.0.0.1:1')
      .replace('invite.txt', 'none.txt')
      .split(' ')
    expect((await infer(args)).stderr).toMatch(/does not answer|none\.txt/)
  }
})
