import { setMaxListeners } from 'node:events'
import { create } from '@bufbuild/protobuf'
import type * as Grpc from '@grpc/grpc-js'
import {
  type ModelConfigRequest,
  ModelConfigResponseSchema,
  type ModelInferRequest,
  ModelInferResponseSchema,
  type ModelMetadataRequest,
  ModelMetadataResponseSchema,
  type ModelReadyRequest,
  ModelReadyResponseSchema,
  type ModelStatisticsRequest,
  ModelStatisticsResponseSchema,
  type ModelStreamInferResponse,
  ModelStreamInferResponseSchema,
  type RepositoryIndexRequest,
  RepositoryIndexResponseSchema,
  type RepositoryModelLoadRequest,
  RepositoryModelLoadResponseSchema,
  type RepositoryModelUnloadRequest,
  RepositoryModelUnloadResponseSchema,
  ServerLiveResponseSchema,
  ServerMetadataResponseSchema,
  ServerReadyResponseSchema
} from '../../runtime/generated/inference/inference_pb.ts'
import type { Answered as OnAnswered } from '../answered.ts'
import type { InferenceService } from '../inference-service.ts'
import type { Duration, Statistics } from '../model-statistics.ts'
import { asServingError, ServingError } from '../serving-error.ts'
import { countAnswers } from './count-answers.ts'
import { callOf, responseOf } from './infer-codec.ts'

export interface OipHandlersParts {
  readonly service: InferenceService
  /** @throws ServingError */
  readonly checkToken: (authorization: string | undefined) => void
  readonly answered?: OnAnswered | undefined
  readonly say: (text: string, level?: 'warn') => void
}

type Answered<A> = Grpc.sendUnaryData<A>
type Unary<Q, A> = Grpc.ServerUnaryCall<Q, A>

/** Requests of one stream without an answer: no more is read from it meanwhile. */
const MOST_ON_STREAM = 128

/** The Open Inference Protocol over gRPC. */
export const oipHandlers = (
  grpc: Pick<typeof Grpc, 'Metadata'>,
  { service, checkToken, say, answered = () => {} }: OipHandlersParts
): Grpc.UntypedServiceImplementation => {
  const statusOf = (error: unknown): Grpc.StatusObject => {
    const known = asServingError(error)
    if (known.problem === 'internal') say(`an answer over gRPC failed: ${known.message}`, 'warn')
    const metadata = new grpc.Metadata()
    if (known.retryAfter !== undefined) metadata.set('retry-after', String(known.retryAfter))
    return { code: known.grpcStatus, details: known.message, metadata }
  }
  const requireToken = ({ metadata }: { readonly metadata: Grpc.Metadata }): void =>
    checkToken(metadata.get('authorization')[0]?.toString())
  const unary =
    <Q, A>(answer: (request: Q, call: Unary<Q, A>) => A | Promise<A>, isOpen = false) =>
    async (call: Unary<Q, A>, done: Answered<A>): Promise<void> => {
      try {
        if (!isOpen) requireToken(call)
        done(null, await answer(call.request, call))
      } catch (error) {
        done(statusOf(error))
      }
    }
  const infer = async (request: ModelInferRequest, call: Connection, signal: AbortSignal) => {
    const since = service.now()
    const trace = call.metadata.get('traceparent')[0]?.toString()
    const asked = { ...withSource(request, call), since, signal, connection: connectionOf(call), trace }
    const answer = await service.infer(asked)
    const response = responseOf(request, answer)
    answer.written()
    return response
  }
  const handlers = {
    ServerLive: unary(() => create(ServerLiveResponseSchema, { live: true }), true),
    ServerReady: unary(() => create(ServerReadyResponseSchema, { ready: service.isReady() }), true),
    ModelReady: unary(({ name, version }: ModelReadyRequest) =>
      create(ModelReadyResponseSchema, { ready: service.isModelReady(name, version) })
    ),
    ServerMetadata: unary(() => create(ServerMetadataResponseSchema, service.server())),
    ModelMetadata: unary(({ name, version }: ModelMetadataRequest) => {
      const metadata = service.metadata(name, version)
      const described = (tensor: (typeof metadata.inputs)[number]) => ({ ...tensor, shape: tensor.shape.map(BigInt) })
      return create(ModelMetadataResponseSchema, {
        ...metadata,
        inputs: metadata.inputs.map(described),
        outputs: metadata.outputs.map(described)
      })
    }),
    ModelConfig: unary(({ name, version }: ModelConfigRequest) =>
      create(ModelConfigResponseSchema, { config: configMessage(service.config(name, version)) })
    ),
    ModelStatistics: unary(({ name, version }: ModelStatisticsRequest) =>
      create(ModelStatisticsResponseSchema, { modelStats: service.statisticsOf(name, version).map(statsMessage) })
    ),
    ModelInfer: unary((request: ModelInferRequest, call) => infer(request, call, signalOf(call))),
    ...repositoryHandlers(service, unary)
  }
  return {
    ...countAnswers(handlers, answered),
    ModelStreamInfer: (call: Grpc.ServerDuplexStream<ModelInferRequest, ModelStreamInferResponse>) =>
      streamInfer(call, { requireToken, infer, statusOf, answered: code => answered('ModelStreamInfer', code) })
  }
}

type Connection = Pick<Grpc.ServerUnaryCall<unknown, unknown>, 'metadata'>

/** Calls of one connection have one session below them. */
const connectionOf = (call: Connection): object => {
  const { stream } =
    (call as unknown as { readonly call?: { readonly stream?: { readonly session?: object } } }).call ?? {}
  return stream?.session ?? call
}

const signalOf = (call: { on(event: 'cancelled', listener: () => void): unknown }): AbortSignal => {
  const over = new AbortController()
  setMaxListeners(0, over.signal) // each request of a stream listens
  call.on('cancelled', () => over.abort())
  return over.signal
}

/** What the request itself says counts before its metadata. */
const withSource = (request: ModelInferRequest, { metadata }: Connection) => {
  const call = callOf(request)
  const name = metadata.get('x-tributary-source')[0]?.toString() ?? ''
  if (name === '' || call.parameters.has('source')) return call
  return { ...call, parameters: new Map([...call.parameters, ['source', name] as const]) }
}

interface StreamParts {
  readonly requireToken: (call: Connection) => void
  readonly infer: (
    request: ModelInferRequest,
    call: Connection,
    signal: AbortSignal
  ) => ReturnType<typeof responseOf> | Promise<ReturnType<typeof responseOf>>
  readonly statusOf: (error: unknown) => Grpc.StatusObject
  /** Each request of a stream is counted. */
  readonly answered: (code: number) => void
}

/** Many at once, answered in the order in which they were asked; what fails is told, and the stream goes on. */
const streamInfer = (
  call: Grpc.ServerDuplexStream<ModelInferRequest, ModelStreamInferResponse>,
  { requireToken, infer, statusOf, answered }: StreamParts
): void => {
  try {
    requireToken(call)
  } catch (error) {
    const status = statusOf(error)
    answered(status.code)
    call.emit('error', status)
    return
  }
  const signal = signalOf(call)
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  const answer = async (request: ModelInferRequest): Promise<ModelStreamInferResponse> => {
    try {
      const inferResponse = await infer(request, call, signal)
      answered(0)
      return create(ModelStreamInferResponseSchema, { inferResponse })
    } catch (error) {
      answered(asServingError(error).grpcStatus)
      const { id, modelName } = request
      const inferResponse = create(ModelInferResponseSchema, { id, modelName })
      return create(ModelStreamInferResponseSchema, { errorMessage: asServingError(error).message, inferResponse })
    }
  }
  call.on('data', (request: ModelInferRequest) => {
    const answered = answer(request)
    waiting++
    if (waiting >= MOST_ON_STREAM) call.pause()
    last = last.then(async () => {
      const response = await answered
      waiting--
      if (waiting < MOST_ON_STREAM && call.isPaused()) call.resume()
      if (!signal.aborted) call.write(response)
    })
  })
  call.on('end', () => void last.then(() => call.end()))
  call.on('error', () => {}) // whoever called hears of it
}

type MakeUnary = <Q, A>(
  answer: (request: Q, call: Unary<Q, A>) => A | Promise<A>
) => (call: Unary<Q, A>, done: Answered<A>) => Promise<void>

const repositoryHandlers = ({ repository }: InferenceService, unary: MakeUnary) => ({
  RepositoryIndex: unary(async ({ ready }: RepositoryIndexRequest) => {
    await repository.lookAtFolder()
    const models = repository.index().filter(({ state }) => !ready || state === 'READY')
    return create(RepositoryIndexResponseSchema, { models: [...models] })
  }),
  RepositoryModelLoad: unary(async ({ modelName, parameters }: RepositoryModelLoadRequest) => {
    const config = parameters['config']?.parameterChoice
    await repository.load(modelName, {
      config: config?.case === 'stringParam' ? config.value : undefined,
      file: fileOf(parameters)
    })
    return create(RepositoryModelLoadResponseSchema)
  }),
  RepositoryModelUnload: unary(async ({ modelName }: RepositoryModelUnloadRequest) => {
    await repository.unload(modelName)
    return create(RepositoryModelUnloadResponseSchema)
  })
})

const FILE = /^file:\d{1,9}\/model\.onnx$/

const fileOf = (parameters: RepositoryModelLoadRequest['parameters']): Uint8Array | undefined => {
  const files = Object.keys(parameters).filter(name => name.startsWith('file:'))
  const [name] = files
  if (name === undefined) return undefined
  const { parameterChoice: file } = parameters[name]!
  if (files.length > 1 || !FILE.test(name) || file.case !== 'bytesParam')
    throw new ServingError(
      'badRequest',
      `a model comes as one file in bytes, 'file:1/model.onnx'; got ${files.slice(0, 5).join(', ')}`
    )
  return file.value
}

const configMessage = (config: ReturnType<InferenceService['config']>) => {
  const described = ({ name, number, dims }: (typeof config.inputs)[number]) => ({
    ...{ name, dataType: number, dims: dims.map(BigInt) }
  })
  return {
    ...{ name: config.name, platform: config.platform, backend: config.backend, maxBatchSize: config.maxBatchSize },
    input: config.inputs.map(described),
    output: config.outputs.map(described),
    parameters: { metadata: { stringValue: config.parameters.metadata } }
  }
}

const duration = ({ count, ns }: Duration) => ({ count: BigInt(count), ns: BigInt(ns) })

const statsMessage = (stats: { readonly name: string; readonly version: string } & Statistics) => ({
  name: stats.name,
  version: stats.version,
  lastInference: BigInt(stats.lastInference),
  inferenceCount: BigInt(stats.inferences),
  executionCount: BigInt(stats.executions),
  inferenceStats: {
    success: duration(stats.success),
    fail: duration(stats.fail),
    queue: duration(stats.queue),
    computeInput: duration(stats.computeInput),
    computeInfer: duration(stats.computeInfer),
    computeOutput: duration(stats.computeOutput)
  },
  batchStats: [...stats.batches].map(([size, batch]) => ({
    batchSize: BigInt(size),
    computeInput: duration(batch.computeInput),
    computeInfer: duration(batch.computeInfer),
    computeOutput: duration(batch.computeOutput)
  }))
})
