import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import { PROVIDER_CHOICES, type ProviderChoice } from '../runtime/engine/providers/provider-name.ts'

/** @throws UserError that names the flag, the value and what there is */
export const parseProviderChoice = (text: string): ProviderChoice => {
  const choice = PROVIDER_CHOICES.find(known => known === text)
  if (choice !== undefined) return choice
  const near = nearest(text, PROVIDER_CHOICES)
  const meant = near === undefined ? '' : ` (did you mean ${near}?)`
  throw new UserError(
    `--provider "${text}" is not an execution provider${meant}; known: ${PROVIDER_CHOICES.join(', ')}`
  )
}
