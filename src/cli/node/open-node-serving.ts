import { readFile } from 'node:fs/promises'
import { describeFileError } from '../../core/describe-file-error.ts'
import { UserError } from '../../core/user-error.ts'
import type { OpenedDevice } from '../../node/open-device.ts'
import { VERSION } from '../../node/version.ts'
import type { OwnedModel } from '../../runtime/device/owned-model.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import type { Serving } from '../../serving/open-serving.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'

export interface NodeServingParts {
  readonly options: NodeOptions
  readonly opened: OpenedDevice
  readonly folder: StateFolder
  readonly own: readonly OwnedModel[]
  readonly log: NodeLog
  readonly hasStarted: () => boolean
}

/** @returns undefined where nobody is to be answered @throws UserError */
export const openNodeServing = async (parts: NodeServingParts): Promise<Serving | undefined> => {
  const { options, opened, folder, own, log, hasStarted } = parts
  const { http, grpc, tokenFile, tlsCert, tlsKey, models, limit } = options.serving
  if (http === undefined && grpc === undefined) return undefined
  const token = tokenFile === undefined ? undefined : await tokenIn(tokenFile)
  const cert = tlsCert === undefined ? undefined : await textOf('--serve-tls-cert', tlsCert)
  const key = tlsKey === undefined ? undefined : await textOf('--serve-tls-key', tlsKey)
  const { openServing } = await import('../../serving/open-serving.ts')
  const serving = await openServing({
    options: {
      ...{ http, grpc, token, models, limits: { body: limit } },
      tls: cert === undefined || key === undefined ? undefined : { cert, key }
    },
    ...{ device: opened.device, deviceName: options.name, incarnation: opened.incarnation, hasStarted },
    ...{ version: VERSION, clock: systemClock, wallTime, modelsFolder: folder.models, own },
    say: (text, level) => log.say(text, level)
  })
  log.event({ event: 'serving', http: serving.http ?? null, grpc: serving.grpc ?? null })
  return serving
}

/** Somebody edits it by hand: the end of its line is no part of it. */
const tokenIn = async (file: string): Promise<string> => {
  const token = (await textOf('--serve-token-file', file)).trim()
  if (token.length >= 8 && token.length <= 4096 && /^[\x21-\x7e]+$/.test(token)) return token
  throw new UserError(
    `--serve-token-file ${file}: a token is 8 to 4096 characters without spaces; \`openssl rand -hex 32\` makes one`
  )
}

const textOf = async (flag: string, file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UserError(`${flag} ${file}: ${describeFileError(error)}`)
  }
}
