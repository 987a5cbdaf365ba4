import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { nodeOfFlags } from '../../src/cli/node-of-flags.ts'
import { SIDE, yoloModel } from '../../src/testing/detector-models.ts'
import { createMosquitto, hasMosquitto } from '../../src/testing/mosquitto.ts'
import { runNodeProcess } from '../../src/testing/node-process.ts'

const page = await readFile(new URL('../../docs/serving.md', import.meta.url), 'utf8')
/** The blocks of a section, in order. */
const blocksOf = (heading: string): string[] => {
  const section = page.split(/^## /m).find(part => part.startsWith(heading))!
  return [...section.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map(([, block]) => block!)
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-pages-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('what the page starts are flags of a node, and Frigate is sent where the node listens', async () => {
  const commands = [...page.matchAll(/^tributary node (.*)$/gm)].map(([, flags]) => flags!.split(' '))
  expect(commands.length).toBeGreaterThanOrEqual(2)
  for (const flags of commands) await nodeOfFlags(flags)
  const [shell, config] = blocksOf('Frigate')
  const { options } = await nodeOfFlags(/^tributary node (.*)$/m.exec(shell!)![1]!.split(' '))
  const { detectors, model } = parse(config!)
  for (const { type, endpoint } of Object.values<{ type: string; endpoint: string }>(detectors)) {
    expect(type).toBe('zmq')
    expect(endpoint).toBe(options.serving.frigate!.replace('*', options.name))
  }
  expect(model).toMatchObject({ model_type: 'yolox', input_tensor: 'nchw', input_dtype: 'float_denorm' })
})

test.skipIf(!hasMosquitto())("Home Assistant's sensor has what its template counts", async () => {
  const [config, sensor] = blocksOf('Home Assistant')
  const broker = await createMosquitto()
  await broker.start()
  await writeFile(join(folder, 'yolo.onnx'), yoloModel())
  const here = config!.replaceAll('mqtt://broker/', `mqtt://127.0.0.1:${broker.port}/`)
  await writeFile(join(folder, 'door.yaml'), here)
  const flags = ['--config', join(folder, 'door.yaml'), '--state', join(folder, 'state'), '--json-events']
  const node = runNodeProcess('door', [...flags, '--listen', '127.0.0.1:0', '--no-mdns', '--exit-with-parent'])
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`)
  try {
    const { state_topic, value_template } = parse(sensor!).mqtt.sensor[0]
    await client.subscribeAsync(state_topic)
    const heard = new Promise<string>(resolve => client.once('message', (_, payload) => resolve(String(payload))))
    await node.status(({ sources }) => sources.some(({ state }) => state === 'running'))
    const raw = { width: SIDE, height: SIDE, channels: 3 as const }
    const picture = sharp(Buffer.from(Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (i * 7919) % 256)), { raw })
    const topic = /door=mqtt:\/\/broker\/([^,]*),/.exec(config!)![1]!
    await client.publishAsync(topic, await picture.jpeg().toBuffer(), { qos: 1, retain: true })
    const value_json = JSON.parse(await heard)
    const field = /value_json\.(\w+) \| selectattr\('(\w+)'/.exec(value_template)!
    expect(value_json[field[1]!].length).toBeGreaterThan(0)
    expect(value_json).toMatchObject({ source: 'door@door' })
    expect(Object.keys(value_json[field[1]!][0])).toEqual(expect.arrayContaining(['index', 'score', 'box']))
    expect(field[2]).toBe('label')
  } finally {
    await client.endAsync(true)
    node.child.kill('SIGKILL')
    await node.ended
    await broker.stop()
  }
})
