import { join } from 'node:path'
import { stopOnce } from '../../core/stop-once.ts'
import type { Seconds } from '../../core/units.ts'
import type { OpenedDevice } from '../../node/open-device.ts'
import { VERSION } from '../../node/version.ts'
import type { OwnedModel } from '../../runtime/device/owned-model.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { DataTracer } from '../../runtime/ports/data-tracer.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { Answered } from '../../serving/answered.ts'
import type { FrigateDoor } from '../../serving/frigate/open-frigate.ts'
import type { HttpServer } from '../../serving/http/create-http-server.ts'
import type { Serving, ServingParts } from '../../serving/open-serving.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { servingSecrets } from './serving-secrets.ts'

export interface NodeServingParts {
  readonly options: NodeOptions
  readonly opened: OpenedDevice
  readonly folder: StateFolder
  readonly own: readonly OwnedModel[]
  /** How files become tensors and outputs answers, where that was said. */
  readonly spec: IoSpec | undefined
  readonly log: NodeLog
  readonly tracer: DataTracer | undefined
  readonly hasStarted: () => boolean
  readonly answered: Answered | undefined
  /** The page for Prometheus, beside the rest. */
  readonly metrics: ((server: HttpServer) => void) | undefined
}

/** @returns undefined where nobody is to be answered @throws UserError */
export const openNodeServing = async (parts: NodeServingParts): Promise<Serving | undefined> => {
  const { options, opened, folder, own, log, hasStarted, answered, tracer } = parts
  const { http, grpc, frigate, models, mayReplaceOwn, limit } = options.serving
  if (http === undefined && grpc === undefined && frigate === undefined) return undefined
  const { token, tls } = await servingSecrets(options.serving)
  const { openServing } = await import('../../serving/open-serving.ts')
  const serving = await openServing({
    options: {
      ...{ http, grpc, token, tls, models, mayReplaceOwn, limits: { body: limit } }
    },
    ...{ device: opened.device, deviceName: options.name, incarnation: opened.incarnation, hasStarted },
    ...{ version: VERSION, clock: systemClock, wallTime, modelsFolder: folder.models, own, answered, tracer },
    say: (text, level) => log.say(text, level),
    routes: await otherRoutes(parts)
  })
  const door = frigate === undefined ? undefined : await openFrigateDoor(frigate, parts, serving)
  const at = { http: serving.http ?? null, grpc: serving.grpc ?? null, frigate: door?.endpoint ?? null }
  log.event({ event: 'serving', ...at })
  return door === undefined ? serving : withDoor(serving, door)
}

/** What stands on the same server beside the Open Inference Protocol. */
const otherRoutes = async ({
  own,
  spec,
  options,
  metrics
}: NodeServingParts): Promise<NonNullable<ServingParts['routes']>> => {
  if (options.serving.http === undefined) return []
  const { addDeepstackRoutes } = await import('../../serving/deepstack/add-deepstack-routes.ts')
  const names = own.map(({ name }) => name)
  return [
    (server, service) => addDeepstackRoutes(server, service, { spec, own: names }),
    ...(metrics === undefined ? [] : [metrics])
  ]
}

/** Where it cannot be opened, nothing else is. */
const openFrigateDoor = async (
  endpoint: string,
  { options, folder, log }: NodeServingParts,
  { desk, service, ...serving }: Serving
): Promise<FrigateDoor> => {
  const { openFrigate } = await import('../../serving/frigate/open-frigate.ts')
  try {
    return await openFrigate({
      ...{ endpoint, desk, repository: service.repository, clock: systemClock },
      ...{
        memory: options.memory,
        threads: options.threads === 'auto' ? 1 : options.threads,
        limit: options.serving.limit
      },
      folder: join(folder.models, 'frigate'),
      say: (text, level) => log.say(text, level)
    })
  } catch (error) {
    await serving.stop()
    throw error
  }
}

const withDoor = (serving: Serving, door: FrigateDoor): Serving => {
  const { stop: close } = stopOnce(async () => door[Symbol.asyncDispose]())
  const stop = async (patience?: Seconds): Promise<void> => {
    await serving.stop(patience)
    await close()
  }
  return { ...serving, stop, [Symbol.asyncDispose]: () => stop() }
}
