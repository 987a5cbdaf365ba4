import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tensor } from '../../src/core/tensor.ts'
import { bytes } from '../../src/core/units.ts'
import { writeZooModel } from '../../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../../src/model/zoo/zoo.ts'
import { createDevice } from '../../src/runtime/device/device.ts'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { createEngine } from '../../src/runtime/engine/create-engine.ts'
import { identitySigner } from '../../src/runtime/network/identity-signer.ts'
import { nodeHash } from '../../src/runtime/node-hash.ts'
import { nodeRandom } from '../../src/runtime/node-random.ts'
import { placeApart } from '../../src/runtime/planning/place-apart.ts'
import { type BlockRun, type Engine, EngineError } from '../../src/runtime/ports/engine.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { POLICIES } from '../../src/scheduler/policies.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
import { memberNetwork } from '../hostile-member.ts'
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

/** A real engine whose every run ends as `spoil` says. */
const brokenEngine = (spoil: (run: BlockRun) => BlockRun): Engine => {
  const engine = createEngine()
  return {
    load: (...of) => engine.load(...of),
    unload: hash => engine.unload(hash),
    run: async (...of) => spoil(await engine.run(...of)),
    measure: (...of) => engine.measure(...of),
    calibrate: () => engine.calibrate(),
    stop: () => engine.stop(),
    [Symbol.asyncDispose]: () => engine.stop()
  }
}

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
    const { network, identity, blobs, join: joinAll } = await memberNetwork(String(invite), join(home, 'blobs'))
    await using _ = createDevice({
      ...{ name: 'broken', clock: systemClock, network, engine: brokenEngine(spoil), blobs, models: [] },
      ...{
        createPolicy: POLICIES[policy as keyof typeof POLICIES],
        random: nodeRandom,
        hash: nodeHash,
        signer: identitySigner(identity),
        place: placeApart(() => {}),
        incarnation: 1
      },
      ...{ memory: bytes(Number.POSITIVE_INFINITY), emulated: false, say: () => {}, event: () => {} }
    })
    await _.start()
    joinAll()
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
