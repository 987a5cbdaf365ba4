import { useEffect, useState } from 'preact/hooks'
import type { PlanFacts } from '../../plans/plan-facts.ts'
import { ask } from '../ask.ts'

/** Milliseconds; sooner while something is on its way. */
const PAUSE = 5000
const SOON = 1000

/** Placements and what limits the cluster, asked for as long as somebody looks at a part that shows them. @returns undefined until it is known */
export const usePlan = (): PlanFacts | undefined => {
  const [facts, setFacts] = useState<PlanFacts>()
  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout>
    const look = async (): Promise<void> => {
      const found = await fetchPlan()
      if (isOver) return
      if (found !== undefined) setFacts(found)
      timer = setTimeout(look, found?.outlook === null ? SOON : PAUSE)
    }
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [])
  return facts
}

const fetchPlan = async (): Promise<PlanFacts | undefined> => {
  try {
    const answer = await ask('api/plan')
    return answer.ok ? ((await answer.json()) as PlanFacts) : undefined
  } catch {
    return undefined // the node is away: it is asked again
  }
}
