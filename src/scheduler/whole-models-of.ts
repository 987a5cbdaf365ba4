import type { WholeModels } from '../core/whole-models.ts'

/** Where the policy of this name has a use for whole models. */
export const wholeModelsOf = (policy: string): WholeModels => {
  if (policy === 'local') return 'at sources'
  return policy === 'ddi' && 'everywhere'
}
