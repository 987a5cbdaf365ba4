import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tensor } from '../../src/core/tensor.ts'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { type BlockRun, EngineError } from '../../src/runtime/ports/engine.ts'
import { POLICIES } from '../../src/scheduler/policies.ts'
import { openHostileDevice } from '../../src/testing/hostile-device.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
import { start } from '../started-nodes.ts'

// Two sound devices as real processes, and a third one, in this process, whose engine is broken in one way or another.

const DATA = 300
let folder: string
let model: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-broken-'))
  model = join(folder, 'resnet56.onnx')
  await writeZooModel(zooGraph('resnet56'), model, { seed: 1 })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const spoilOutputs =
  (spoil: (tensor: Tensor) => Tensor) =>
  (run: BlockRun): BlockRun => ({ ...run, outputs: run.outputs.map(spoil) })

const WAYS: readonly (readonly [string, string, (run: BlockRun) => BlockRun])[] = [
  [
    'fails every task',
    'confluence',
    () => {
      throw new EngineError('illegal instruction')
    }
  ],
  [
    'fails every task at once',
    'ms-mdi',
    () => {
      throw new EngineError('illegal instruction')
    }
  ],
  [
    'makes tensors of another type',
    'confluence',
    spoilOutputs(tensor => ({ ...tensor, type: 'float64', data: new Uint8Array(2 * tensor.data.byteLength) }))
  ],
  [
    'makes tensors of another shape between blocks',
    'backpressure',
    spoilOutputs(tensor =>
      tensor.dims.length === 4
        ? { ...tensor, dims: [tensor.dims[0]!, tensor.dims[2]!, tensor.dims[1]!, tensor.dims[3]!] }
        : tensor
    )
  ]
]

const cam = (status: ClusterStatus) => status.sources.find(source => source.name === 'cam')!

test.each(WAYS)(
  'a device that %s (%s) costs no datum, and is set aside by name and cause',
  async (what, policy, spoil) => {
    const home = join(folder, `${policy} ${what}`)
    await mkdir(home)
    const sink = join(home, 'sink.jsonl')
    const node = (name: string, flags: readonly string[]): NodeProcess =>
      start(name, ['--state', join(home, name), '--policy', policy, '--speed', '0.2', ...flags])
    const source = node('cam', [
      ...['--model', `${model}:net`, '--sink', sink, '--start-when', '3'],
      ...['--source', `cam=synthetic:${DATA},model=net,window=32`]
    ])
    const { invite } = await source.event('listening')
    node('sound', ['--join', String(invite)])
    await using _ = await openHostileDevice(String(invite), join(home, 'blobs'), {
      ...{ name: 'broken', spoil, parts: { createPolicy: POLICIES[policy as keyof typeof POLICIES] } }
    })
    const { setAside } = await source.status(s => s.setAside.length > 0)
    expect(setAside).toMatchObject([{ device: 'broken', model: 'net' }])
    await source.event('done')
    const lines = (await readFile(sink, 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.filter(line => 'result' in line)).toHaveLength(DATA)
    expect(cam(await source.status(s => cam(s).completed === DATA))).toMatchObject({ lost: 0, failed: 0 })
    expect(source.log()).toMatch(/broken is set aside for \d+ s: it fails at what others compute of net \(/)
  },
  400_000
)
