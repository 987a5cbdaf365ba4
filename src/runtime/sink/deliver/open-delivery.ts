import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../core/clock.ts'
import { describeFileError } from '../../../core/describe-file-error.ts'
import { UserError } from '../../../core/user-error.ts'
import type { Sink } from '../../ports/sink.ts'
import type { BranchParts } from '../open-branch.ts'
import { type MqttSpec, shownTarget, type WebhookSpec } from '../sink-spec.ts'
import type { Deliverer } from './deliver.ts'
import { openDeliveringSink } from './delivering-sink.ts'
import { webhook } from './webhook.ts'

/**
 * @param place tells it apart from other sinks: what waits for its delivery is found again by it
 * @throws UserError when its secret cannot be read, or what waits cannot be kept
 */
export const openDelivery = async (
  spec: WebhookSpec | MqttSpec,
  place: string,
  { stateFolder, clock, say, isLive }: BranchParts
): Promise<Sink> => {
  const hash = createHash('sha256').update(place).digest('hex').slice(0, 16)
  return openDeliveringSink({
    name: shownTarget(spec.text),
    deliverer: await delivererOf(spec, clock),
    folder: join(stateFolder, `outbox-${hash}`),
    backlog: spec.backlog,
    ...(isLive === undefined ? {} : { isLive }),
    clock,
    say
  })
}

const delivererOf = async (spec: WebhookSpec | MqttSpec, clock: Clock): Promise<Deliverer> => {
  const secret = spec.secret === undefined ? undefined : await readSecret(spec.secret)
  if (spec.kind === 'webhook') return webhook({ ...spec, token: secret, clock })
  const { publishMqtt } = await import('./publish-mqtt.ts')
  const address = secret === undefined ? spec.address : { ...spec.address, password: secret }
  return publishMqtt({ ...spec, address, clock })
}

const readSecret = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch(error => {
    throw new UserError(`sink: secret-file ${file}: ${describeFileError(error)}`)
  })
  const [line = ''] = text.split(/\r?\n/)
  if (line.trim() === '')
    throw new UserError(`sink: secret-file ${file}: its first line is empty; write the secret there`)
  return line.trim()
}
