import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SIDE, yoloModel } from '../../src/testing/detector-models.ts'
import { type NodeProcess, startNode } from '../../src/testing/node-process.ts'
import { plainDetections } from '../../src/testing/plain-detections.ts'

const LABELS = ['person', 'cat', 'dog', 'car', 'bird']
const TOKEN = 'a-key-of-eight-and-more'
let folder: string
let nodes: NodeProcess[] = []
/** Of a node with the model, of one that carries none of it, and of one that wants a key. */
let at: { shed: string; hall: string; locked: string }

/** Noise, and the same as the model has it. */
const pixels = Buffer.from(Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (i * 7919 + ((i * i) % 251) * 31) % 256))
const picture = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
  const [channel, pixel] = [Math.floor(i / (SIDE * SIDE)), i % (SIDE * SIDE)]
  return pixels[3 * pixel + channel]! / 255
})
const raw = { raw: { width: SIDE, height: SIDE, channels: 3 as const } }
const png = (): Promise<Buffer> => sharp(pixels, raw).png().toBuffer()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-deepstack-'))
  await writeFile(join(folder, 'yolo.onnx'), yoloModel())
  await writeFile(join(folder, 'labels.txt'), LABELS.join('\n'))
  await writeFile(join(folder, 'token'), TOKEN)
  await writeFile(
    join(folder, 'io.yaml'),
    `input: { kind: image, resize: { fit: contain } }\noutput: { kind: detect, family: yolo, labels: ${join(folder, 'labels.txt')} }\n`
  )
  const model = ['--model', `${join(folder, 'yolo.onnx')}:yolo`, '--io', join(folder, 'io.yaml'), '--serve', '0']
  const shed = startNode('shed', [...model, '--state', join(folder, 'shed')])
  const { invite } = await shed.event('listening')
  const joined = (name: string): string[] => ['--serve', '0', '--join', String(invite), '--state', join(folder, name)]
  const hall = startNode('hall', [...joined('hall'), '--io', join(folder, 'io.yaml'), '--memory', '1KiB'])
  const locked = startNode('locked', [
    ...joined('locked'),
    '--memory',
    '1KiB',
    '--serve-token-file',
    join(folder, 'token')
  ])
  nodes = [shed, hall, locked]
  const urls = await Promise.all(nodes.map(urlOf))
  at = { shed: urls[0]!, hall: urls[1]!, locked: urls[2]! }
  for (const node of nodes) await node.status(({ devices, placement }) => devices.length === 3 && placement.ready)
})
afterAll(async () => {
  for (const { child } of nodes) child.kill('SIGKILL')
  await Promise.all(nodes.map(({ ended }) => ended))
  await rm(folder, { recursive: true, force: true })
})

const urlOf = async (node: NodeProcess): Promise<string> => {
  const { http } = (await node.event('serving')) as { http: string | { host: string; port: number } }
  return typeof http === 'string' ? new URL(http).origin : `http://${http.host}:${http.port}`
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: what is tested is what it is
  readonly json: any
}
const post = async (url: string, image?: Buffer, fields: Record<string, string> = {}): Promise<Answer> => {
  const form = new FormData()
  if (image !== undefined) form.set('image', new Blob([new Uint8Array(image)]), 'picture.jpg')
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  const response = await fetch(url, { method: 'POST', body: form })
  return { status: response.status, json: await response.json() }
}

test('a picture has its predictions in pixels, best first, from a node that carries nothing of the model too', async () => {
  const seen = await plainDetections(folder, yoloModel(), picture, { limit: 20, byClass: true, threshold: 0.4 })
  expect(seen.length).toBeGreaterThan(1)
  const pixel = (side: number | undefined) => expect.toSatisfy((near: number) => Math.abs(near - side!) <= 0.51)
  const predictions = seen.map(([index, score, top, left, bottom, right]) => ({
    label: LABELS[index!],
    confidence: expect.closeTo(score!, 3),
    ...{ x_min: pixel(left), y_min: pixel(top), x_max: pixel(right), y_max: pixel(bottom) }
  }))
  for (const base of [at.shed, at.hall]) {
    const { status, json } = await post(`${base}/v1/vision/detection`, await png())
    expect([status, json.error]).toEqual([200, undefined])
    expect(json).toMatchObject({ success: true, message: '', command: 'detect', count: seen.length, predictions })
    expect([json.moduleId, json.executionProvider]).toEqual(['Tributary', 'CPU'])
    for (const time of ['inferenceMs', 'processMs', 'analysisRoundTripMs'])
      expect(json[time]).toSatisfy((value: unknown) => Number.isInteger(value) && (value as number) >= 0)
    expect((await post(`${base}/v1/vision/custom/yolo`, await png())).json.predictions).toEqual(json.predictions)
  }
})

test('boxes are in the pixels of the picture as it was sent; how sure is sure is asked for', async () => {
  const large = await sharp(pixels, raw)
    .resize(8 * SIDE, 4 * SIDE, { fit: 'fill', kernel: 'nearest' })
    .png()
    .toBuffer()
  const { json } = await post(`${at.shed}/v1/vision/detection`, large, { min_confidence: '0.2' })
  expect(json.count).toBeGreaterThan(0)
  expect(json.count).toBeLessThanOrEqual(20)
  expect(Math.max(...json.predictions.map((p: { x_max: number }) => p.x_max))).toBeGreaterThan(2 * SIDE)
  for (const { x_min, y_min, x_max, y_max, confidence } of json.predictions) {
    expect(x_min >= 0 && x_max <= 8 * SIDE && y_min >= 0 && y_max <= 4 * SIDE && confidence > 0.2).toBe(true)
  }
  const none = await post(`${at.shed}/v1/vision/detection`, large, { min_confidence: '1' })
  expect(none.json).toMatchObject({ success: true, predictions: [], count: 0 })
})

test('what there is', async () => {
  const list = await fetch(`${at.hall}/v1/vision/custom/list`, { method: 'POST' })
  expect(await list.json()).toEqual({ success: true, models: ['yolo'] })
  expect(await (await fetch(`${at.hall}/v1/server/status/ping`)).json()).toEqual({ success: true })
})

test('who has no key is told so, in JSON; the key may be a field or a bearer token', async () => {
  const url = `${at.locked}/v1/vision/custom/list`
  expect(await post(url)).toMatchObject({
    status: 401,
    json: { success: false, error: expect.stringContaining('token') }
  })
  expect(await post(url, undefined, { api_key: 'another' })).toMatchObject({ status: 401, json: { success: false } })
  expect(await post(url, undefined, { api_key: TOKEN })).toMatchObject({ status: 200, json: { success: true } })
  const bearer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })
  expect(bearer.status).toBe(200)
  expect(await post(`${at.locked}/v1/vision/detection`, await png())).toMatchObject({ status: 401 })
  const untold = await post(`${at.locked}/v1/vision/custom/yolo`, await png(), { api_key: TOKEN })
  expect(untold).toMatchObject({ status: 501, json: { success: false, error: expect.stringContaining('not told') } })
})

const CASES: readonly (readonly [string, () => Promise<Answer>, number, RegExp])[] = [
  ['no picture', () => post(`${at.shed}/v1/vision/detection`), 400, /no picture/],
  ['a picture that is none', () => post(`${at.shed}/v1/vision/detection`, Buffer.from('no')), 400, /not an image/],
  ['half a picture', async () => post(`${at.shed}/v1/vision/detection`, (await png()).subarray(0, 99)), 400, /not an/],
  ['no model', async () => post(`${at.shed}/v1/vision/custom/none`, await png()), 404, /'none' is not found/],
  ['no path', async () => post(`${at.shed}/v1/vision/face`, await png()), 404, /there is nothing at/],
  [
    'no number',
    async () => post(`${at.shed}/v1/vision/detection`, await png(), { min_confidence: 'high' }),
    400,
    /min_confidence "high"/
  ],
  ['too large a form', () => post(`${at.shed}/v1/vision/detection`, Buffer.alloc(31 * 2 ** 20)), 413, /30 MiB/],
  [
    'very many fields',
    async () =>
      post(
        `${at.shed}/v1/vision/detection`,
        await png(),
        Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, '1']))
      ),
    400,
    /too many parts/
  ],
  [
    'no form',
    async () => {
      const response = await fetch(`${at.shed}/v1/vision/detection`, { method: 'POST', body: '{}' })
      return { status: response.status, json: await response.json() }
    },
    400,
    /multipart/
  ],
  [
    'a form without an end',
    async () => {
      const headers = { 'content-type': 'multipart/form-data; boundary=x' }
      const body = '--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc'
      const response = await fetch(`${at.shed}/v1/vision/detection`, { method: 'POST', headers, body })
      return { status: response.status, json: await response.json() }
    },
    400,
    /form/
  ]
]
test.each(CASES)('%s: JSON that says why, and the next one is answered', async (_, ask, status, why) => {
  const answer = await ask()
  expect(answer).toEqual({ status, json: { success: false, code: status, error: expect.stringMatching(why) } })
  expect((await post(`${at.shed}/v1/vision/detection`, await png())).status).toBe(200)
})

test('a client that goes away in the middle disturbs nobody', async () => {
  const { hostname, port } = new URL(at.shed)
  for (let i = 0; i < 20; i++) {
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write(
      'POST /v1/vision/detection HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x'
    )
    socket.destroy()
  }
  expect((await post(`${at.shed}/v1/vision/detection`, await png())).status).toBe(200)
})
