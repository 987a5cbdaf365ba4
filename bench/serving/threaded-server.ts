/** The bare handler with its runtime in a thread, so that nothing waits for a run. Says its port; ends with its parent. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { fastify } from 'fastify'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [file = '', dims = '', threads = '1'] = process.argv.slice(2)

const compute = async (): Promise<void> => {
  const session = await InferenceSession.create(file, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 })
  const [input] = session.inputNames
  const [output] = session.outputNames
  const shape = dims.split('x').map(Number)
  parentPort!.on('message', async (body: Uint8Array<ArrayBuffer>) => {
    const x = new Tensor('float32', new Float32Array(body.buffer, body.byteOffset, body.byteLength / 4), shape)
    const { data } = (await session.run({ [input!]: x }))[output!]!
    parentPort!.postMessage(data)
  })
  parentPort!.postMessage('ready')
}

const serve = async (): Promise<void> => {
  const worker = new Worker(new URL(import.meta.url), { argv: [file, dims, threads] })
  await once(worker, 'message')
  const waiting: ((answer: Float32Array<ArrayBuffer>) => void)[] = []
  worker.on('message', answer => waiting.shift()!(answer))
  const app = fastify({ bodyLimit: 2 ** 26 })
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.post('/infer', async (request, reply) => {
    const body = Uint8Array.from(request.body as Buffer)
    const answer = new Promise<Float32Array<ArrayBuffer>>(resolve => waiting.push(resolve))
    worker.postMessage(body, [body.buffer])
    const { buffer, byteOffset, byteLength } = await answer
    return reply.type('application/octet-stream').send(Buffer.from(buffer, byteOffset, byteLength))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`)
  process.stdin.on('close', () => process.exit()).resume()
}

await (isMainThread ? serve() : compute())
