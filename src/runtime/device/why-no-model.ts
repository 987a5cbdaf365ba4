import type { DeviceId } from '../../core/ids.ts'
import { fingerprintOf } from '../../core/model-reference.ts'
import type { ModelChoice } from '../cluster/model-register.ts'
import { describeRefusal } from './describe-refusal.ts'

/** Why a name means no model here now, for people; empty where it means one, or nobody has any. */
export const whyNoModel = (text: string, choice: ModelChoice, nameOf: (device: DeviceId) => string): string => {
  switch (choice.kind) {
    case 'model':
    case 'absent':
      return ''
    case 'refused':
      return describeRefusal(choice, nameOf)
    case 'ambiguous':
      return `"${text}" may be ${choice.models.map(fingerprintOf).join(' or ')}: give more digits`
    default:
      return choice satisfies never
  }
}
