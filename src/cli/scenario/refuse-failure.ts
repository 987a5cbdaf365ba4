import { namesOf } from '../../core/names-of.ts'
import { NoAnswerError } from '../../core/user-error.ts'
import type { PolicyRun } from '../../report/run-report.ts'

/**
 * Asked for by name and not able to finish: that is no good answer. With `all`, policies that cannot run here are part of
 * the comparison, unless none can; what an emulation lost or got wrong is not.
 * @param asked the policies, as the user named them
 * @throws NoAnswerError
 */
export const refuseFailure = (runs: readonly PolicyRun[], asked: string | undefined): void => {
  const failed = runs.filter(run => run.because !== undefined)
  const isComparison = namesOf(asked ?? '').includes('all') && failed.length < runs.length
  const refused = isComparison ? failed.filter(run => run.emulated && run.cannotRun !== true) : failed
  if (refused.length === 0) return
  throw new NoAnswerError(refused.map(({ policy, because }) => `${policy}: ${because}`).join('\n'))
}
