import { create, type Message } from '@bufbuild/protobuf'
import {
  GRPCInferenceService,
  type ModelConfigRequest,
  ModelConfigResponseSchema,
  type ModelInferRequest,
  type ModelInferResponse,
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
import type { Parameters } from '../parameters.ts'
import { asServingError, ServingError } from '../serving-error.ts'
import type { GrpcCall, GrpcMethod } from './grpc-method.ts'
import { callOf, responseOf } from './infer-codec.ts'

export interface OipMethodsParts {
  readonly service: InferenceService
  /** Of each request of a stream. */
  readonly answered: OnAnswered
}

/** The Open Inference Protocol over gRPC, by the paths of its methods. */
export const oipMethods = ({ service, answered }: OipMethodsParts): ReadonlyMap<string, GrpcMethod> => {
  const infer: Infer = async (request, call, reuse) => {
    const since = service.now()
    const { signal, connection } = call
    const trace = call.header('traceparent')
    const { model, version, parameters, inputs, outputs } = callOf(request)
    const answer = await service.infer({
      model,
      version,
      parameters: withSource(parameters, call),
      inputs,
      outputs,
      since,
      signal,
      connection,
      trace
    })
    const response = responseOf(request, answer)
    if (!answer.readsOn) reuse()
    answer.written()
    return response
  }
  const handlers = {
    ServerLive: () => create(ServerLiveResponseSchema, { live: true }),
    ServerReady: () => create(ServerReadyResponseSchema, { ready: service.isReady() }),
    ModelReady: ({ name, version }: ModelReadyRequest) =>
      create(ModelReadyResponseSchema, { ready: isReady(service, name, version) }),
    ServerMetadata: () => create(ServerMetadataResponseSchema, service.server()),
    ModelMetadata: ({ name, version }: ModelMetadataRequest) => {
      const metadata = service.metadata(name, version)
      const described = (tensor: (typeof metadata.inputs)[number]) => ({ ...tensor, shape: tensor.shape.map(BigInt) })
      return create(ModelMetadataResponseSchema, {
        ...metadata,
        inputs: metadata.inputs.map(described),
        outputs: metadata.outputs.map(described)
      })
    },
    ModelConfig: ({ name, version }: ModelConfigRequest) =>
      create(ModelConfigResponseSchema, { config: configMessage(service.config(name, version)) }),
    ModelStatistics: ({ name, version }: ModelStatisticsRequest) =>
      create(ModelStatisticsResponseSchema, { modelStats: service.statisticsOf(name, version).map(statsMessage) }),
    ModelInfer: infer,
    ModelStreamInfer: (request: ModelInferRequest, call, reuse) =>
      inferOnStream(infer(request, call, reuse), request, answered),
    ...repositoryHandlers(service)
  } satisfies Handlers
  return new Map(
    GRPCInferenceService.methods.map(({ name, methodKind, input, output }) => [
      `/${GRPCInferenceService.typeName}/${name}`,
      {
        ...{ name, input, output, isStream: methodKind === 'bidi_streaming', isOpen: OPEN.has(name) },
        answer: handlers[name as keyof typeof handlers] as GrpcMethod['answer']
      }
    ])
  )
}

/** Whether there is such a model at all is no error to whoever asks whether it is ready: Triton answers so. */
const isReady = (service: InferenceService, name: string, version: string): boolean => {
  try {
    return service.isModelReady(name, version)
  } catch (error) {
    if (error instanceof ServingError && (error.problem === 'noSuchModel' || error.problem === 'notReady')) return false
    throw error
  }
}

type Handlers = Readonly<
  Record<string, (request: never, call: GrpcCall, reuse: () => void) => Message | Promise<Message>>
>

type Infer = (request: ModelInferRequest, call: GrpcCall, reuse: () => void) => Promise<ModelInferResponse>

/** Whoever looks after a machine asks for its health, without a token. */
const OPEN: ReadonlySet<string> = new Set(['ServerLive', 'ServerReady'])

/** What the request itself says counts before its metadata. */
const withSource = (parameters: Parameters, of: GrpcCall): Parameters => {
  const name = of.header('x-tributary-source') ?? ''
  if (name === '' || parameters.has('source')) return parameters
  return new Map([...parameters, ['source', name] as const])
}

/** What fails is told in the answer, and its stream goes on. */
const inferOnStream = async (
  answer: Promise<ModelInferResponse>,
  { id, modelName }: ModelInferRequest,
  answered: OnAnswered
): Promise<ModelStreamInferResponse> => {
  try {
    const inferResponse = await answer
    answered('ModelStreamInfer', 0)
    return create(ModelStreamInferResponseSchema, { inferResponse })
  } catch (error) {
    const { grpcStatus, message: errorMessage } = asServingError(error)
    answered('ModelStreamInfer', grpcStatus)
    const inferResponse = create(ModelInferResponseSchema, { id, modelName })
    return create(ModelStreamInferResponseSchema, { errorMessage, inferResponse })
  }
}

const repositoryHandlers = ({ repository }: InferenceService) => ({
  RepositoryIndex: async ({ ready }: RepositoryIndexRequest) => {
    await repository.lookAtFolder()
    const models = repository.index().filter(({ state }) => !ready || state === 'READY')
    return create(RepositoryIndexResponseSchema, { models: [...models] })
  },
  RepositoryModelLoad: async ({ modelName, parameters }: RepositoryModelLoadRequest) => {
    const config = parameters['config']?.parameterChoice
    await repository.load(modelName, {
      config: config?.case === 'stringParam' ? config.value : undefined,
      file: fileOf(parameters)
    })
    return create(RepositoryModelLoadResponseSchema)
  },
  RepositoryModelUnload: async ({ modelName }: RepositoryModelUnloadRequest) => {
    await repository.unload(modelName)
    return create(RepositoryModelUnloadResponseSchema)
  }
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
