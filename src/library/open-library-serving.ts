import type { DeviceLog } from '../node/device-log.ts'
import type { OpenedDevice } from '../node/open-device.ts'
import { VERSION } from '../node/version.ts'
import type { DataTracer } from '../runtime/ports/data-tracer.ts'
import type { StateFolder } from '../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../runtime/system-clock.ts'
import type { Serving } from '../serving/open-serving.ts'
import type { CheckedOptions } from './check-join-options.ts'
import { ownedModel } from './owned-model.ts'

export interface LibraryServingParts {
  readonly folder: StateFolder
  readonly opened: OpenedDevice
  readonly log: DeviceLog
  readonly tracer: DataTracer | undefined
  readonly hasStarted: () => boolean
}

/** @returns undefined where nobody is to be answered @throws UserError */
export const openLibraryServing = async (
  { name, serve, models }: CheckedOptions,
  { folder, opened, log, tracer, hasStarted }: LibraryServingParts
): Promise<Serving | undefined> => {
  if (serve === undefined) return undefined
  const { http, grpc, token, tls, limit, replace: mayReplaceOwn } = serve
  const { openServing } = await import('../serving/open-serving.ts')
  return openServing({
    options: { http, grpc, token, tls, models: serve.models, mayReplaceOwn, limits: { body: limit } },
    ...{
      device: opened.device,
      deviceName: name,
      incarnation: opened.incarnation,
      hasStarted,
      tracer,
      version: VERSION
    },
    ...{ clock: systemClock, wallTime, modelsFolder: folder.models },
    own: models.map(model => ownedModel(model, folder)),
    say: (text, level) => log.say(text, level)
  })
}
