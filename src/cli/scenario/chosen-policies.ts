import { nearest } from '../../core/nearest.ts'
import { UserError } from '../../core/user-error.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../../scheduler/policies.ts'

/** Names with commas between; "all" among them is all. @throws UserError with the nearest known name */
export const chosenPolicies = (text: string, where: string): readonly PolicyName[] => {
  const names = text.split(',').map(name => name.trim())
  const chosen = names.flatMap(name => {
    if (isPolicyName(name)) return [name]
    if (name === 'all') return POLICY_NAMES
    const near = nearest(name, POLICY_NAMES)
    const meant = near === undefined ? '' : `, did you mean ${near}?`
    throw new UserError(`${where} "${name}" is not a policy${meant} (known: ${POLICY_NAMES.join(', ')}, all)`)
  })
  return names.includes('all') ? POLICY_NAMES : [...new Set(chosen)]
}
