import { create } from '@bufbuild/protobuf'
import type { Clock } from '../../../core/clock.ts'
import { type Reply, ReplySchema, type StepsRequest } from '../../generated/tributary/v1/wire_pb.ts'
import type { ClusterSteps } from './cluster-steps.ts'
import type { DeviceSteps } from './device-steps.ts'
import { REMEMBERED, type RecentSteps } from './recent-steps.ts'

export interface AnswerStepsParts {
  readonly clock: Clock
  /** Of this process. */
  readonly life: bigint
  readonly own: RecentSteps
  readonly ofAll: (wanted: { readonly most: number }) => Promise<ClusterSteps>
}

/** Answers whoever asks what was done lately: this device's part, or all devices'. */
export const answerSteps =
  ({ clock, life, own, ofAll }: AnswerStepsParts) =>
  async ({ all, after, most, source, datum, every }: StepsRequest): Promise<Reply> => {
    const wanted = {
      most: Math.min(most, REMEMBERED),
      every: Math.max(1, every),
      ...(source === '' ? {} : { source }),
      ...(datum === undefined ? {} : { datum: Number(datum) })
    }
    const ofOwn = (): DeviceSteps => {
      const told = own.after({ ...wanted, after: Number(after) })
      return { life: String(life), now: clock.now(), next: own.made, missed: told.missed, steps: [...told.steps] }
    }
    const value = JSON.stringify(all ? await ofAll(wanted) : ofOwn())
    return create(ReplySchema, { body: { case: 'steps', value } })
  }
