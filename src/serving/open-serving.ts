import { rm } from 'node:fs/promises'
import type { Server } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { stopOnce } from '../core/stop-once.ts'
import { type Seconds, seconds } from '../core/units.ts'
import type { Device } from '../runtime/device/device.ts'
import type { LogLevel } from '../runtime/device/log-level.ts'
import type { OwnedModel } from '../runtime/device/owned-model.ts'
import { RequestDesk, type RequestLimits } from '../runtime/device/requests/request-desk.ts'
import { endpointText } from '../runtime/endpoint-text.ts'
import type { OnnxModel } from '../runtime/onnx/onnx-model.ts'
import type { Endpoint } from '../runtime/parse-endpoint.ts'
import type { DataTracer } from '../runtime/ports/data-tracer.ts'
import type { Answered } from './answered.ts'
import { createTokenCheck } from './check-token.ts'
import type { GrpcServer } from './grpc/create-grpc-server.ts'
import type { HttpServer } from './http/create-http-server.ts'
import { InferenceService } from './inference-service.ts'
import { isLoopback } from './is-loopback.ts'
import { listenAt } from './listen-at.ts'
import { ModelRepository } from './model-repository.ts'
import { requireModelsFolder } from './require-models-folder.ts'
import { SERVING_LIMITS, type ServingLimits } from './serving-limits.ts'

export interface ServingOptions {
  readonly http: Endpoint | undefined
  readonly grpc: Endpoint | undefined
  /** Who asks must bring it. */
  readonly token: string | undefined
  /** In PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  /** Models that clients may load by name. */
  readonly models: string | undefined
  /** Clients may also unload and replace the models that this node was started with. @default false */
  readonly mayReplaceOwn?: boolean
  readonly limits?: Partial<ServingLimits>
  readonly requests?: Partial<RequestLimits>
}

export interface ServingParts {
  readonly options: ServingOptions
  readonly device: Device
  readonly deviceName: string
  /** Of this process, among all that this device has had. */
  readonly incarnation: number
  readonly hasStarted: () => boolean
  /** Of this program. */
  readonly version: string
  readonly clock: Clock
  readonly wallTime: () => Seconds
  /** Of the state folder, where models are cut. */
  readonly modelsFolder: string
  /** Models that this node was started with. */
  readonly own: readonly OwnedModel[]
  readonly say: (text: string, level?: LogLevel) => void
  /** Told of each request that it was answered: by which route, and with which status of its protocol. */
  readonly answered?: Answered | undefined
  /** Told of what is not answered and followed by whoever asked. */
  readonly tracer?: Pick<DataTracer, 'refused'> | undefined
  /** Other protocols on the same server. */
  readonly routes?: readonly ((server: HttpServer, service: InferenceService) => void)[]
}

/** Other programs are answered. */
export interface Serving extends AsyncDisposable {
  readonly service: InferenceService
  readonly desk: RequestDesk
  /** Where it listens. */
  readonly http: Endpoint | undefined
  readonly grpc: Endpoint | undefined
  /** The same, as programs are told. */
  addresses(): { readonly http?: string; readonly grpc?: string }
  /** Nothing new is taken; what is under way is answered within `patience`; then all is closed. Idempotent. */
  stop(patience?: Seconds): Promise<void>
}

const LARGEST_BLOCKS = 12
const TICK = seconds(0.02)

/** @throws UserError `badModelsFolder`, `packageMissing`, `portInUse`, `cannotListen` */
export const openServing = async (parts: ServingParts): Promise<Serving> => {
  const { options, clock, say } = parts
  const limits = { ...SERVING_LIMITS, ...options.limits }
  // What clients brought to an earlier process, which was killed.
  await rm(uploadsIn(parts.modelsFolder), { recursive: true, force: true })
  if (options.models !== undefined) await requireModelsFolder(options.models)
  const { desk, service } = createService(parts)
  const http = options.http === undefined ? undefined : await openHttp(parts, service, limits)
  let grpc: GrpcServer | undefined
  let at: { readonly http: Endpoint | undefined; readonly grpc: Endpoint | undefined }
  try {
    grpc = options.grpc === undefined ? undefined : await openGrpc(parts, service, limits)
    at = {
      http: http && (await listenAt(http.app.server as Server, options.http!)),
      grpc: grpc && (await listenAt(grpc.server, options.grpc!))
    }
  } catch (error) {
    await Promise.all([http?.stop(), grpc?.stop(), desk.stop()])
    throw error
  }
  tell(at, options, say)
  const { stop } = stopOnce(async () => {
    await desk.stop()
    await Promise.all([http?.stop(), grpc?.stop()])
  })
  return {
    ...{ service, desk, ...at },
    addresses: () => addressesOf(at, options),
    stop: async (patience = seconds(0)) => {
      const until = clock.now() + patience
      desk.refuse()
      while (desk.pending > 0 && clock.now() < until) await clock.sleep(TICK)
      await stop()
    },
    [Symbol.asyncDispose]: stop
  }
}

const uploadsIn = (modelsFolder: string): string => join(modelsFolder, 'uploads')

const createService = (parts: ServingParts) => {
  const { device, clock, wallTime, options, modelsFolder, own, say, deviceName, incarnation } = parts
  const { version, hasStarted, tracer } = parts
  const life = `${incarnation}.serve`
  const desk = new RequestDesk({
    ...{ device, deviceName, life, clock, wallTime, say },
    limits: options.requests ?? {}
  })
  const repository = new ModelRepository({
    ...{ device, desk, clock, own, say, hasStarted },
    uploads: uploadsIn(modelsFolder),
    folder: options.models,
    mayReplaceOwn: options.mayReplaceOwn ?? false,
    createModel: (source): OnnxModel => ({
      ...{ ...source, maxBlocks: LARGEST_BLOCKS, cutAt: [], folder: modelsFolder }
    })
  })
  const service = new InferenceService({
    ...{ name: 'tributary', version, desk, repository, clock, wallTime, hasStarted, tracer }
  })
  return { desk, service }
}

const openHttp = async (
  { options: { token, tls }, say, answered, routes = [] }: ServingParts,
  service: InferenceService,
  limits: ServingLimits
): Promise<HttpServer> => {
  const { createHttpServer } = await import('./http/create-http-server.ts')
  const { addOipRoutes } = await import('./http/add-oip-routes.ts')
  const server = await createHttpServer({ token, tls, limits, say, answered })
  addOipRoutes(server, service)
  for (const add of routes) add(server, service)
  await server.app.ready()
  return server
}

const openGrpc = async (
  { options: { token, tls }, clock, say, answered = () => {} }: ServingParts,
  service: InferenceService,
  limits: ServingLimits
): Promise<GrpcServer> => {
  const { createGrpcServer } = await import('./grpc/create-grpc-server.ts')
  const { oipMethods } = await import('./grpc/oip-methods.ts')
  const methods = oipMethods({ service, answered })
  return createGrpcServer({ ...{ tls, limits, methods, clock, say, answered }, checkToken: createTokenCheck(token) })
}

const addressesOf = (
  { http, grpc }: Pick<Serving, 'http' | 'grpc'>,
  { tls }: Pick<ServingOptions, 'tls'>
): ReturnType<Serving['addresses']> => {
  return {
    ...(http === undefined ? {} : { http: `http${tls === undefined ? '' : 's'}://${endpointText(http)}` }),
    ...(grpc === undefined ? {} : { grpc: endpointText(grpc) })
  }
}

const tell = (
  { http, grpc }: Pick<Serving, 'http' | 'grpc'>,
  { token, tls }: ServingOptions,
  say: ServingParts['say']
): void => {
  const said = addressesOf({ http, grpc }, { tls })
  if (http !== undefined) say(`serving on ${said.http}/v2`)
  if (grpc !== undefined) say(`serving gRPC on ${said.grpc}${tls === undefined ? '' : ', encrypted'}`)
  const open = [http, grpc].filter(at => at !== undefined && !isLoopback(at))
  if (open.length > 0 && token === undefined) say('whoever reaches this machine may ask: no token is asked for', 'warn')
}
