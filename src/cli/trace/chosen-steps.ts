import { NoAnswerError } from '../../core/user-error.ts'
import type { ClusterStep, ClusterSteps } from '../../runtime/device/steps/cluster-steps.ts'

/**
 * Of the data that are remembered, the last that has ended; where none has, the last that began.
 * @param datum this one instead
 * @throws NoAnswerError where nothing is remembered of it
 */
export const chosenSteps = (
  { steps, devices }: ClusterSteps,
  source: string,
  datum: number | undefined
): readonly ClusterStep[] => {
  const those = datum === undefined ? steps : steps.filter(step => step.datum === datum)
  const last = those.findLast(step => step.did === 'ended') ?? those.at(-1)
  if (last !== undefined) return those.filter(step => step.source === last.source && step.datum === last.datum)
  const what = datum === undefined ? `source ${source}` : `datum ${datum} of source ${source}`
  const silent = devices.filter(({ because }) => because !== '').map(({ name, because }) => `${name}: ${because}`)
  throw new NoAnswerError(
    `nothing is remembered of ${what}: each device knows its last 4096 steps${silent.length === 0 ? '' : `; ${silent.join('; ')}`}`
  )
}
