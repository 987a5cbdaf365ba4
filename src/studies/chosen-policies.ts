import { namesOf } from '../core/names-of.ts'
import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'

/** Names with commas between; "all" among them is all. @throws UserError with the nearest known name */
export const chosenPolicies = (text: string, where: string): readonly PolicyName[] => {
  const names = namesOf(text)
  const unknown = names.find(name => name !== 'all' && !isPolicyName(name))
  if (unknown !== undefined) {
    const near = nearest(unknown, POLICY_NAMES)
    const meant = near === undefined ? '' : `, did you mean ${near}?`
    throw new UserError(`${where} "${unknown}" is not a policy${meant} (known: ${POLICY_NAMES.join(', ')}, all)`)
  }
  return names.includes('all') ? POLICY_NAMES : [...new Set(names.filter(isPolicyName))]
}
