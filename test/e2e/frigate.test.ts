import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dfineModel, madeUpPicture, SIDE, yoloModel } from '../../src/testing/detector-models.ts'
import { type FrigateAnswer, FrigateClient } from '../../src/testing/frigate-client.ts'
import { MAIN, type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { plainDetections } from '../../src/testing/plain-detections.ts'

const SHAPE = [1, 3, SIDE, SIDE]
const MEMORY = '16KiB'
type Rows = readonly (readonly number[])[]

let folder: string
let nodes: { shed: NodeProcess; porch: NodeProcess; nook: NodeProcess }
/** Of a model for which nobody has room: that takes a while. */
let unplaced: Promise<FrigateAnswer>
/** Where each answers. */
let at: { shed: string; porch: string }
const clients: FrigateClient[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-frigate-'))
  const flags = ['--serve-frigate', 'tcp://127.0.0.1:*', '--serve-limit', '1MiB']
  const shed = startNode('shed', [...flags, '--state', join(folder, 'shed')])
  const { invite } = await shed.event('listening')
  // Too small for a whole model: what is brought there is answered by both together.
  const own = ['--state', join(folder, 'porch'), '--join', String(invite), '--memory', MEMORY]
  const porch = startNode('porch', [...flags, ...own])
  const nook = startNode('nook', [...flags, '--state', join(folder, 'nook'), '--memory', '1KiB'])
  nodes = { shed, porch, nook }
  await porch.status(({ devices }) => devices.length === 2)
  at = { shed: await endpointOf(shed), porch: await endpointOf(porch) }
  unplaced = frigate(await endpointOf(nook)).begin('yolo.onnx', yoloModel())
})
afterAll(async () => {
  for (const client of clients) client.close()
  for (const { child } of Object.values(nodes ?? {})) child.kill('SIGKILL')
  await Promise.all(Object.values(nodes ?? {}).map(({ ended }) => ended))
  await rm(folder, { recursive: true, force: true })
})

const endpointOf = async (node: NodeProcess): Promise<string> => String((await node.event('serving'))['frigate'])
const frigate = (endpoint: string): FrigateClient => {
  const client = new FrigateClient(endpoint)
  clients.push(client)
  return client
}
const placed = (node: NodeProcess, model: string) =>
  node.status(({ placement }) => placement.ready && Object.keys(placement.models).includes(model))

/** What plain ONNX Runtime sees, as shares of the picture. */
const plainRows = async (model: Uint8Array, picture: Float32Array): Promise<Rows> => {
  const seen = await plainDetections(folder, model, picture, { limit: 20, byClass: false, threshold: 0.4 })
  return seen.map(([index, score, ...box]) => [index!, score!, ...box.map(side => side / SIDE)])
}
const expectRows = (rows: Rows, wanted: Rows): void => {
  expect(wanted.length).toBeGreaterThan(1)
  const full = [...wanted, ...Array.from({ length: 20 - wanted.length }, () => [0, 0, 0, 0, 0, 0])]
  for (const [i, row] of full.entries())
    for (const [j, number] of row.entries()) expect(rows[i]![j]).toBeCloseTo(number, 4)
}

test('a model that is brought is answered at once, then cut and placed without a further step, and the answers stay the same', async () => {
  const model = yoloModel()
  const [client, picture] = [frigate(at.shed), madeUpPicture()]
  expect(await client.ask('yolo_nano.onnx')).toMatchObject({ model_available: false, model_loaded: false })
  const saved = await client.upload('yolo_nano.onnx', model)
  expect(saved).toMatchObject({ model_saved: true, model_loaded: true, model_name: 'yolo_nano.onnx' })
  const wanted = await plainRows(model, picture)
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  await placed(nodes.porch, 'yolo_nano')
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  expect(await frigate(at.porch).ask('yolo_nano.onnx')).toMatchObject({ model_available: true, model_loaded: true })
  const another = madeUpPicture(7)
  expectRows(await frigate(at.porch).detect(another, SHAPE, 'yologeneric'), await plainRows(model, another))
})

test('a second name of a model that is placed is said to be placed too', async () => {
  const client = frigate(at.shed)
  expect(await client.begin('yolo_small.onnx', yoloModel())).toMatchObject({ model_loaded: true })
  const picture = madeUpPicture()
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), await plainRows(yoloModel(), picture))
  await expect.poll(() => nodes.shed.log(), { timeout: 30_000 }).toContain('model yolo_small of Frigate is placed')
  const { placement } = await placed(nodes.shed, 'yolo_small')
  expect(placement.models['yolo_small']).toEqual(placement.models['yolo_nano'])
})

test('detectors that start together each bring the model, and each is answered', async () => {
  const [first, second] = [frigate(at.shed), frigate(at.shed)]
  const model = yoloModel(['batch', 3, SIDE, SIDE])
  const started = [await first.ask('twice.onnx'), await second.ask('twice.onnx')]
  for (const answer of started) expect(answer).toMatchObject({ model_available: false })
  const picture = madeUpPicture()
  const wanted = await plainRows(model, picture)
  for (const client of [first, second])
    expect(await client.upload('twice.onnx', model)).toMatchObject({ model_saved: true, model_loaded: true })
  for (const client of [first, second]) expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  await placed(nodes.shed, 'twice')
  for (const client of [first, second]) expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  expect(nodes.shed.log()).not.toMatch(/answered with nothing/)
})

test('a model that its node cannot hold alone is answered as soon as the cluster holds it', async () => {
  const model = yoloModel([1, 3, SIDE, SIDE]).slice()
  const padded = Buffer.concat([model, metadata(32 * 1024)])
  const client = frigate(at.porch)
  expect(await client.begin('large.onnx', padded)).toMatchObject({ model_saved: true, model_loaded: true })
  const picture = madeUpPicture(3)
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), await plainRows(model, picture))
})

test('what a model leaves open is taken from the first picture; a second input is filled in', async () => {
  const client = frigate(at.shed)
  const open = yoloModel(['n', 3, 'h', 'w'])
  expect(await client.begin('open.onnx', open)).toMatchObject({ model_loaded: true })
  const picture = madeUpPicture(5)
  const wanted = await plainRows(yoloModel(), picture)
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  await placed(nodes.shed, 'open')
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  expect(await client.begin('dfine.onnx', dfineModel())).toMatchObject({ model_loaded: true })
  const [first] = await client.detect(picture, SHAPE, 'dfine')
  expect(first![1]).toBeGreaterThan(0.4)
  await placed(nodes.shed, 'dfine')
  expect((await client.detect(picture, SHAPE, 'dfine'))[0]![1]).toBeCloseTo(first![1]!, 4)
})

test('after a request that was not answered in time a new connection begins at 1, and several are answered at once', async () => {
  const [picture, wanted] = [madeUpPicture(), await plainRows(yoloModel(), madeUpPicture())]
  const impatient = frigate(at.shed)
  for (let i = 0; i < 20; i++) {
    await impatient.detect(picture, SHAPE, 'yologeneric', 0).catch(() => {})
    expect(await impatient.begin('yolo_nano.onnx', yoloModel())).toMatchObject({ model_loaded: true })
  }
  const several = Array.from({ length: 4 }, () => frigate(at.shed))
  await Promise.all(
    several.map(async client => {
      await client.begin('yolo_nano.onnx', yoloModel())
      for (let i = 0; i < 10; i++) expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
    })
  )
})

const NOTHING = Array.from({ length: 20 }, () => [0, 0, 0, 0, 0, 0])

test("a model that is garbage is refused with why, and takes nobody's place", async () => {
  const client = frigate(at.shed)
  for (const file of [Buffer.from('no model'), Buffer.alloc(0), Buffer.from(yoloModel()).subarray(0, 900)]) {
    const answer = await client.upload('yolo_nano.onnx', file)
    expect(answer).toMatchObject({ model_saved: false, model_loaded: false })
    expect(answer.message).toMatch(/it is no model/)
    expect(answer.message).not.toMatch(/\/|draft/)
  }
  await client.ask('yolo_nano.onnx')
  const picture = madeUpPicture()
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), await plainRows(yoloModel(), picture))
})

test('another file by a name that is known is refused with why, wherever it is known, and the first one answers', async () => {
  const another = Buffer.concat([yoloModel(), metadata(16)])
  for (const client of [frigate(at.shed), frigate(at.porch)]) {
    const answer = await client.upload('yolo_nano.onnx', another)
    expect(answer).toMatchObject({ model_saved: false, model_loaded: false })
    expect(answer.message).toMatch(/the name "yolo_nano" stands for another file/)
    expect(await client.upload('yolo_nano.onnx', yoloModel())).toMatchObject({ model_saved: true, model_loaded: true })
    const picture = madeUpPicture()
    expectRows(await client.detect(picture, SHAPE, 'yologeneric'), await plainRows(yoloModel(), picture))
  }
  for (const node of [nodes.shed, nodes.porch])
    await expect.poll(() => node.log()).toMatch(/yolo_nano\.onnx of Frigate was refused: the name .* another file/)
})

test.each([
  ['another size', [1, 3, 16, 16], 'float32', 'yologeneric', /the model takes float32\[1, 3, 32, 32\]/],
  ['another type', SHAPE, 'uint8', 'yologeneric', /uint8\[1, 3, 32, 32\] came/],
  ['another family', SHAPE, 'float32', 'rfdetr', /model_type rfdetr takes/]
])('%s: nothing is seen, and the log says why', async (_, shape, dtype, model_type, why) => {
  const client = frigate(at.shed)
  await client.begin('yolo_nano.onnx', yoloModel())
  const bytes = shape.reduce((a, b) => a * b, 1) * (dtype === 'uint8' ? 1 : 4)
  const header = JSON.stringify({ shape, dtype, model_type })
  const [answer] = await client.request([header, new Uint8Array(bytes)], 10_000)
  expect(answer!.equals(Buffer.alloc(480))).toBe(true)
  await expect.poll(() => nodes.shed.log()).toMatch(why)
})

test('numbers that are none give nothing, or something; the node goes on', async () => {
  const client = frigate(at.shed)
  await client.begin('yolo_nano.onnx', yoloModel())
  const rows = await client.detect(new Float32Array(3 * SIDE * SIDE).fill(Number.NaN), SHAPE, 'yologeneric')
  expect(rows).toEqual(NOTHING)
})

test('what is no request is answered with why; what is too large ends its connection; others are answered', async () => {
  const client = frigate(at.shed)
  for (const [frames, why] of [
    [['{'], /not JSON/],
    [[JSON.stringify({ shape: [1, 3, 2, 2], dtype: 'float32' }), 'short'], /48 bytes; 5 came/],
    [[JSON.stringify({ model_request: true })], /model_name/]
  ] as const) {
    const [answer] = await client.request(frames, 10_000)
    expect(JSON.parse(String(answer)).error).toMatch(why)
  }
  const large = [JSON.stringify({ model_data: true, model_name: 'huge.onnx' }), Buffer.alloc(2 * 2 ** 20)]
  await expect(client.request(large, 1000)).rejects.toThrow()
  expect(await frigate(at.shed).ask('yolo_nano.onnx')).toMatchObject({ model_loaded: true })
})

test('a model that was taken out of the cluster comes back, and is answered meanwhile', async () => {
  const [client, picture] = [frigate(at.shed), madeUpPicture()]
  const wanted = await plainRows(yoloModel(), picture)
  // Nobody else has brought this one: taken out here, the cluster is without it.
  await client.begin('taken.onnx', Buffer.concat([yoloModel(), metadata(24)]))
  const said = (): number => nodes.shed.log().split('model taken of Frigate is placed').length - 1
  await expect.poll(said, { timeout: 30_000 }).toBe(1)
  const remove = ['model', 'remove', 'taken', '--state', join(folder, 'shed')]
  await promisify(execFile)(process.execPath, [MAIN, ...remove])
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  await expect.poll(said, { timeout: 30_000 }).toBe(2)
})

test('a model for which no device has room is kept, and not said to be loaded; pictures are answered with nothing', async () => {
  expect(await unplaced).toMatchObject({
    model_saved: true,
    model_loaded: false,
    message: expect.stringMatching(/no device has room/)
  })
  const rows = await frigate(await endpointOf(nodes.nook)).detect(madeUpPicture(), SHAPE, 'yologeneric')
  expect(rows).toEqual(NOTHING)
  await expect.poll(() => nodes.nook.log()).toMatch(/too large for this device alone/)
})

test('when a device of the cluster is gone and the node comes back, what was brought is still answered', async () => {
  const [client, picture] = [frigate(at.shed), madeUpPicture()]
  const wanted = await plainRows(yoloModel(), picture)
  await client.begin('yolo_nano.onnx', yoloModel())
  nodes.porch.child.kill('SIGKILL')
  await nodes.porch.ended
  await expect.poll(() => client.detect(picture, SHAPE, 'yologeneric'), { timeout: 30_000 }).not.toEqual(NOTHING)
  expectRows(await client.detect(picture, SHAPE, 'yologeneric'), wanted)
  nodes.shed.child.kill('SIGTERM')
  expect(await nodes.shed.ended).toBe(0)
  nodes.shed = startNode('shed', ['--serve-frigate', at.shed, '--state', join(folder, 'shed')])
  await endpointOf(nodes.shed)
  const again = frigate(at.shed)
  expect(await again.ask('yolo_nano.onnx')).toMatchObject({ model_available: true, model_loaded: true })
  expectRows(await again.detect(picture, SHAPE, 'yologeneric'), wanted)
})

/** A field that no reader of models knows, so many bytes. */
const metadata = (size: number): Buffer => {
  const length: number[] = []
  for (let rest = size; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  // doc_string, field 6 of a model.
  return Buffer.concat([Buffer.from([(6 << 3) | 2, ...length]), Buffer.alloc(size, 0x61)])
}
