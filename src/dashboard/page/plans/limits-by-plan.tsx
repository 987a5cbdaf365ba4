import type { PlanFacts } from '../../plans/plan-facts.ts'
import { paysWords, tightWords, totalRate } from '../../view/served-words.ts'
import type { Limit } from '../../view/what-limits.ts'
import { ageText, perSecondText } from '../words.ts'

interface LimitsByPlanProps {
  readonly facts: PlanFacts | undefined
  /** As it is measured. */
  readonly limit: Limit
}

/** What the planner says besides what is measured: what could be served, what would help, whether distributing pays. */
export const LimitsByPlan = ({ facts, limit }: LimitsByPlanProps) => {
  const outlook = facts?.outlook
  if (outlook === undefined || outlook === null)
    return (
      <p class="planned">
        The planner: {facts === undefined ? 'not asked yet …' : `${facts.because} (${ageText(facts.age)} so far) …`}
      </p>
    )
  if (outlook.kind === 'none') return <p class="planned">The planner: {outlook.because}.</p>
  const { carried, planned } = outlook
  if (carried.kind === 'unserved')
    return (
      <p class={`planned ${facts?.because === '' ? 'wrong' : ''}`}>
        The planner, {ageText(facts?.age ?? 0)} ago: {carried.because}.
      </p>
    )
  const isUsedUp = limit.kind === 'device' || limit.kind === 'link'
  const tight = tightWords(carried)
  const better = planned.kind === 'served' ? totalRate(planned) / totalRate(carried) - 1 : 0
  return (
    <section class="planned" aria-label="What the planner says">
      <p>
        By the planner these blocks can serve <strong>{perSecondText(totalRate(carried))} results/s</strong>.{' '}
        {paysWords(carried)}
        {better > 0.02 && ` Other places for them would serve ${Math.round(100 * better)} % more.`}
      </p>
      {tight.length > 0 && (
        <>
          <p>{isUsedUp ? 'What is scarce:' : 'What would be scarce first:'}</p>
          <ul>
            {tight.map(words => (
              <li key={words}>{words}</li>
            ))}
          </ul>
        </>
      )}
      <p class="note">
        Reckoned {ageText(facts?.age ?? 0)} ago.{facts?.because !== '' && ` Since then ${facts?.because}.`}
      </p>
    </section>
  )
}
