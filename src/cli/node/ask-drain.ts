import { create } from '@bufbuild/protobuf'
import { UserError } from '../../core/user-error.ts'
import { RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { askStatus } from './ask-status.ts'
import { type AskOptions, openAsker } from './open-asker.ts'

/** What became of a device that was drained. */
export interface Drained {
  readonly device: string
  readonly id: string
  /** Whether others carry all that it carried. It stops all the same. */
  readonly handedOver: boolean
  /** Why not; '' where they do. */
  readonly because: string
  /** Of its sources, which end: names. */
  readonly sources: readonly string[]
}

/**
 * @param name of any device of the cluster, or its id; undefined: the asked one
 * @throws UserError where there is none of that name, or it is not to be drained; NetworkError when there is no answer in time
 */
export const askDrain = async (options: AskOptions, name: string | undefined): Promise<Drained> => {
  await using asker = await openAsker(options)
  const { answeredBy, devices, sources } = await askStatus(asker)
  const wanted = name ?? answeredBy
  const device = devices.find(one => one.name === wanted || one.id === wanted)
  if (device === undefined)
    throw new UserError(`no device "${wanted}" is there; there are: ${devices.map(one => one.name).join(', ')}`)
  const request = create(RequestSchema, { body: { case: 'drain', value: { device: device.id, wait: true } } })
  const { error, body } = await asker.ask(request)
  if (body.case !== 'drained') throw new UserError(`${device.name} is not drained: ${error}`)
  const { because = '' } = body.value
  const own = sources.filter(source => source.device === device.name && !source.isAsked && source.state !== 'done')
  return {
    ...{ device: device.name, id: device.id, handedOver: because === '', because },
    sources: own.map(source => source.name)
  }
}
