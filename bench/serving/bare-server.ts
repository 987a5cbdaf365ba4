/** The obvious server: a handler of fastify's that hands its body to onnxruntime-node. Says its port; ends with its parent. */
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [file = '', dims = '', threads = '1'] = process.argv.slice(2)
const session = await InferenceSession.create(file, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 })
const [input] = session.inputNames
const [output] = session.outputNames
const shape = dims.split('x').map(Number)

const app = fastify({ bodyLimit: 2 ** 26 })
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
app.post('/infer', async (request, reply) => {
  const body = request.body as Buffer
  const isAligned = body.byteOffset % 4 === 0
  const { buffer, byteOffset, byteLength } = isAligned ? body : Uint8Array.from(body)
  const x = new Tensor('float32', new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4), shape)
  const answer = await session.run({ [input!]: x })
  const { data } = answer[output!]!
  const { buffer: bytes, byteOffset: from, byteLength: length } = data as Float32Array<ArrayBuffer>
  return reply.type('application/octet-stream').send(Buffer.from(bytes, from, length))
})
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`)
process.stdin.on('close', () => process.exit()).resume()
