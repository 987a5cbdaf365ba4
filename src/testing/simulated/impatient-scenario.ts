import { seconds } from '../../core/units.ts'
import { type AgreementScenario, agreementScenario } from './agreement-scenario.ts'

/** For so many seconds data come. */
const LASTS = 20
const DEADLINE = 0.4

/** A cluster that agrees, with more data than it computes: they come when they come, and wait only so long. */
export const impatientScenario = (seed: number, deadline: number = DEADLINE): AgreementScenario => {
  const scenario = agreementScenario(seed)
  const capacity = scenario.devices.reduce((sum, { speed }) => sum + speed, 0)
  const work = scenario.models[0]!.work.reduce((a, b) => a + b, 0)
  const rate = (1.3 * capacity) / work / scenario.sources.length
  const terms = {
    deadline: seconds(deadline),
    drop: 'oldest',
    queue: 3,
    rate: Number.POSITIVE_INFINITY,
    late: 'finish'
  } as const
  return {
    ...scenario,
    sources: scenario.sources.map(source => ({
      ...source,
      ...{ terms, window: 4, arrivals: { kind: 'poisson', rate }, count: Math.ceil(LASTS * rate) }
    }))
  }
}
