import { PATIENT_TERMS } from '../../core/admission-terms.ts'
import type { Scenario } from '../../core/scenario.ts'
import { UserError } from '../../core/user-error.ts'

/** @throws UserError for a source that drops data or holds them back: an emulated one does neither */
export const refuseTerms = ({ sources }: Scenario, file: string): void => {
  for (const [i, { terms }] of sources.entries()) {
    for (const key of ['deadline', 'drop', 'rate', 'late'] as const) {
      if (terms[key] !== PATIENT_TERMS[key])
        throw new UserError(`${file}: sources[${i}].${key}: is not emulated; remove it, or use tributary simulate`)
    }
  }
}
