/**
 * A device of its own that has the whole model: onnxruntime-node behind a handler of fastify's, one run at a time, each as long as
 * an emulated device of Tributary's takes for it. `node emulated-server.js FILE DIMS SECONDS`; says its port; ends with its parent.
 * GET /late: seconds that it ran, and those of them beyond what its runs should have lasted.
 */
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Serial } from '../../src/core/serial.ts'
import { type Seconds, seconds } from '../../src/core/units.ts'
import { emulatedEnd, emulatedStart } from '../../src/emulation/emulated-time.ts'
import { sleepUntil } from '../../src/runtime/sleep-until.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'

const [file = '', dims = '', lasts = '0'] = process.argv.slice(2)
const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 })
const [input] = session.inputNames
const [output] = session.outputNames
const shape = dims.split('x').map(Number)
const { signal } = new AbortController()
const lane = new Serial()
let freeSince: Seconds = seconds(0)
let [busy, late] = [0, 0]

const run = async (bytes: Buffer, ready: Seconds): Promise<Buffer> => {
  const start = emulatedStart(freeSince, ready, systemClock.now())
  const end = seconds(start + Number(lasts))
  const { buffer } = Uint8Array.from(bytes)
  const answer = await session.run({ [input!]: new Tensor('float32', new Float32Array(buffer), shape) })
  await sleepUntil(systemClock, end, signal)
  freeSince = emulatedEnd(end, systemClock.now())
  busy += freeSince - start
  late += freeSince - end
  const data = answer[output!]!.data as Float32Array<ArrayBuffer>
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

const app = fastify({ bodyLimit: 2 ** 26 })
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
app.post('/infer', async (request, reply) => {
  const ready = systemClock.now()
  return reply.type('application/octet-stream').send(await lane.run(() => run(request.body as Buffer, ready)))
})
app.get('/late', () => ({ busy, late }))
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`)
process.stdin.on('close', () => process.exit()).resume()
