import type { WholeModels } from '../core/whole-models.ts'

/** Where the policy of this name has a use for whole models, or for models in pipelines. */
export const wholeModelsOf = (policy: string): WholeModels => {
  if (policy === 'local') return 'at sources'
  if (policy === 'pipeedge') return 'in pipelines'
  return policy === 'ddi' && 'everywhere'
}
