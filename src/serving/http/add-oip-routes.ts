import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { GoneSignal } from '../gone-signal.ts'
import type { InferenceService } from '../inference-service.ts'
import type { Duration, Statistics } from '../model-statistics.ts'
import { type Parameters, sourceNameOf } from '../parameters.ts'
import { ServingError } from '../serving-error.ts'
import type { HttpServer } from './create-http-server.ts'
import { chosenPacking, packAnswer } from './pack-answer.ts'
import { parseJson } from './parse-json.ts'
import { rawRequest } from './raw-request.ts'
import { type InferHead, readInferRequest } from './read-infer-request.ts'
import { RecentHeads } from './recent-heads.ts'
import { traceparentOf } from './traceparent-of.ts'
import { writeInferAnswer } from './write-infer-answer.ts'

interface Of {
  readonly model: string
  readonly version: string
}

const HEADER_LENGTH = 'inference-header-content-length'
const SOURCE = 'x-tributary-source'

/** The Open Inference Protocol over HTTP, with the extensions that clients use. */
export const addOipRoutes = ({ app, body }: HttpServer, service: InferenceService): void => {
  const heads = new RecentHeads<InferHead>()
  const of = ({ params }: FastifyRequest): Of => {
    const { model = '', version = '' } = params as Partial<Of>
    return { model, version }
  }
  const get = (path: string, answer: (at: Of) => unknown): void => {
    app.get(path, async request => answer(of(request)))
  }
  const empty = (reply: FastifyReply): FastifyReply => reply.code(200).send()
  app.get('/v2/health/live', async (_, reply) => empty(reply))
  app.get('/v2/health/ready', async (_, reply) => {
    if (!service.isReady()) throw new ServingError('notReady', 'models are being loaded')
    return empty(reply)
  })
  for (const path of ['/v2', '/v2/']) get(path, () => service.server())
  get('/v2/models/stats', () => statsJson(service.statisticsOf('', '')))
  for (const model of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    get(model, at => service.metadata(at.model, at.version))
    get(`${model}/config`, at => configJson(service.config(at.model, at.version)))
    get(`${model}/stats`, at => statsJson(service.statisticsOf(at.model, at.version)))
    app.get(`${model}/ready`, async (request, reply) => {
      const at = of(request)
      if (!service.isModelReady(at.model, at.version))
        throw new ServingError('notReady', `model '${at.model}' is not ready`)
      return empty(reply)
    })
    app.post(`${model}/infer`, (request, reply) => infer(service, body, heads, request, reply, of(request)))
  }
  addRepositoryRoutes({ app, body }, service)
}

const infer = async (
  service: InferenceService,
  body: HttpServer['body'],
  heads: RecentHeads<InferHead>,
  request: FastifyRequest,
  reply: FastifyReply,
  { model, version }: Of
): Promise<FastifyReply> => {
  const manifest = service.manifest(model, version)
  const gone = new GoneSignal()
  reply.raw.once('close', gone.leave)
  const arrived = service.now()
  using read = await body(request)
  const since = service.now()
  const header = headerLength(request)
  const asked = header === 0 ? rawRequest(manifest, read.bytes) : readInferRequest(read.bytes, header, heads)
  const answer = await service.infer({
    model,
    version,
    since,
    arrived,
    signal: gone,
    connection: request.socket,
    trace: traceparentOf(request),
    inputs: asked.inputs,
    outputs: asked.outputs,
    parameters: withSource(asked.parameters, request)
  })
  reply.raw.off('close', gone.leave)
  const { id, isBinary } = asked
  const written = writeInferAnswer({ model, version: answer.version, id, outputs: answer.outputs, isBinary })
  answer.written()
  if (!answer.readsOn) read.reuse()
  return send(request, reply, written.body, written.header)
}

const send = async (
  request: FastifyRequest,
  reply: FastifyReply,
  body: Buffer,
  header: number | undefined
): Promise<FastifyReply> => {
  void reply.header('content-type', header === undefined ? 'application/json' : 'application/octet-stream')
  if (header !== undefined) void reply.header('Inference-Header-Content-Length', String(header))
  const how = chosenPacking(request.headers['accept-encoding'])
  if (how === undefined) return reply.send(body)
  return reply.header('content-encoding', how).send(await packAnswer(body, how))
}

const headerLength = ({ headers }: FastifyRequest): number | undefined => {
  const text = headers[HEADER_LENGTH]
  if (text === undefined) return undefined
  if (typeof text === 'string' && /^\d{1,12}$/.test(text.trim())) return Number(text)
  throw new ServingError(
    'badRequest',
    `Inference-Header-Content-Length "${String(text).slice(0, 40)}" is no number of bytes`
  )
}

/** What the request itself says counts before its header. */
const withSource = (parameters: Parameters, { headers }: FastifyRequest): Parameters => {
  const name = headers[SOURCE]
  if (typeof name !== 'string' || name === '' || sourceNameOf(parameters) !== undefined) return parameters
  return new Map([...parameters, ['source', name]])
}

const parametersSchema = z.object({
  parameters: z.record(z.string().max(1000), z.union([z.string(), z.boolean(), z.number()])).default({})
})

/** Base64, of anything else nothing is taken. */
const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}\s*$/
const FILE = /^file:\d{1,9}\/model\.onnx$/

const addRepositoryRoutes = (
  { app, body }: Pick<HttpServer, 'app' | 'body'>,
  { repository }: InferenceService
): void => {
  const given = async (request: FastifyRequest) => {
    using read = await body(request)
    const text = Buffer.from(read.bytes).toString('utf8')
    const parsed = parametersSchema.safeParse(text.trim() === '' ? {} : parseJson(text))
    if (parsed.success) return parsed.data.parameters
    throw new ServingError('badRequest', `parameters: ${parsed.error.issues[0]!.message}`)
  }
  const modelOf = ({ params }: FastifyRequest): string => (params as { readonly model: string }).model
  app.post('/v2/repository/index', async request => {
    const wanted = await indexRequest(body, request)
    await repository.lookAtFolder()
    return repository.index().filter(({ state }) => !wanted || state === 'READY')
  })
  app.post('/v2/repository/models/:model/load', async (request, reply) => {
    const parameters = await given(request)
    await repository.load(modelOf(request), { config: textOf(parameters, 'config'), file: fileOf(parameters) })
    return reply.code(200).send()
  })
  app.post('/v2/repository/models/:model/unload', async (request, reply) => {
    await given(request)
    await repository.unload(modelOf(request))
    return reply.code(200).send()
  })
}

/** @returns whether only those are wanted that are ready */
const indexRequest = async (body: HttpServer['body'], request: FastifyRequest): Promise<boolean> => {
  using read = await body(request)
  const text = Buffer.from(read.bytes).toString('utf8').trim()
  return z
    .object({ ready: z.boolean().default(false) })
    .catch({ ready: false })
    .parse(text === '' ? {} : parseJson(text)).ready
}

type Given = z.output<typeof parametersSchema>['parameters']

const textOf = (given: Given, name: string): string | undefined => {
  const value = given[name]
  if (value === undefined || typeof value === 'string') return value
  throw new ServingError('badRequest', `parameter '${name}' must be text`)
}

const fileOf = (given: Given): Uint8Array | undefined => {
  const files = Object.keys(given).filter(name => name.startsWith('file:'))
  if (files.length === 0) return undefined
  const [name] = files
  if (files.length > 1 || !FILE.test(name!))
    throw new ServingError(
      'badRequest',
      `a model comes as one file, 'file:1/model.onnx'; got ${files.slice(0, 5).join(', ')}`
    )
  const text = textOf(given, name!)!
  if (!BASE64.test(text)) throw new ServingError('badRequest', `parameter '${name}' is not base64`)
  return Buffer.from(text, 'base64')
}

const configJson = (config: ReturnType<InferenceService['config']>) => {
  const described = ({ name, type, dims }: (typeof config.inputs)[number]) => ({ name, data_type: type, dims })
  return {
    ...{ name: config.name, platform: config.platform, backend: config.backend },
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: config.maxBatchSize,
    input: config.inputs.map(described),
    output: config.outputs.map(described),
    parameters: { metadata: { string_value: config.parameters.metadata } }
  }
}

const durationJson = ({ count, ns }: Duration) => ({ count, ns })

const statsJson = (all: readonly ({ readonly name: string; readonly version: string } & Statistics)[]) => ({
  model_stats: all.map(({ name, version, lastInference, inferences, executions, batches, ...stats }) => ({
    ...{ name, version, last_inference: lastInference, inference_count: inferences, execution_count: executions },
    inference_stats: {
      success: durationJson(stats.success),
      fail: durationJson(stats.fail),
      queue: durationJson(stats.queue),
      compute_input: durationJson(stats.computeInput),
      compute_infer: durationJson(stats.computeInfer),
      compute_output: durationJson(stats.computeOutput)
    },
    batch_stats: [...batches].map(([batch_size, batch]) => ({
      batch_size,
      compute_input: durationJson(batch.computeInput),
      compute_infer: durationJson(batch.computeInfer),
      compute_output: durationJson(batch.computeOutput)
    }))
  }))
})
