// Two devices in one process, one of them with a model and data. Run it where the package is installed:
//   node two-devices.mjs model.onnx [items]
// The model here takes one float32 input; `shapes` in `models` fixes dimensions that it leaves open.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { joinCluster, TributaryError } from 'tributary'
import { readModel } from 'tributary/model'

const [file = 'model.onnx', count = '20'] = process.argv.slice(2)

/** Made-up frames, each when it is asked for. */
async function* frames({ name, shape }) {
  const dims = shape.map(dim => (typeof dim === 'number' ? dim : 1))
  const elements = dims.reduce((a, b) => a * b, 1)
  for (let i = 0; i < Number(count); i++)
    yield { name: `frame-${i}`, tensors: { [name]: { dims, data: new Float32Array(elements).fill(i) } } }
}

const scratch = await mkdtemp(join(tmpdir(), 'two-devices-'))
// This machine alone; without these a device listens everywhere and looks for others on the local network.
const here = { listen: '127.0.0.1:0', mdns: false }
try {
  const [input] = (await readModel(file)).inputs
  const shed = await joinCluster({ name: 'shed', state: join(scratch, 'shed'), ...here })
  const porch = await joinCluster({
    ...{ name: 'porch', state: join(scratch, 'porch'), join: shed.invite(), ...here },
    models: [{ file, name: 'mine', blocks: 4 }],
    startWhen: 2,
    log: ({ level, text }) => level !== 'info' && console.error(`porch: ${text}`)
  })
  porch.on('deviceJoined', ({ name }) => console.log(`${name} is there`))
  const source = await porch.addSource({ name: 'camera', model: 'mine', window: 8, items: frames(input) })
  for await (const outcome of source) {
    if (outcome.kind === 'result') console.log(`${outcome.item}: ${(1000 * outcome.inferenceTime).toFixed(1)} ms`)
    else console.log(`${outcome.item}: ${outcome.kind}, ${outcome.kind === 'failed' ? outcome.cause : outcome.reason}`)
  }
  const { devices, sources } = porch.status()
  for (const { name, tasks } of devices) console.log(`${name} ran ${tasks} blocks`)
  console.log(`${sources[0].completed} of ${count} computed`)
  await porch.stop()
  await shed.stop()
} catch (error) {
  if (!(error instanceof TributaryError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = 1
} finally {
  await rm(scratch, { recursive: true, force: true })
}
