import { useState } from 'preact/hooks'
import type { ToldSteps } from '../step-feed.ts'
import { ask } from './ask.ts'
import { usePolling } from './use-polling.ts'

type Step = ToldSteps['steps'][number]

export interface Steps extends Pick<ToldSteps, 'devices' | 'every'> {
  readonly steps: readonly Step[]
  /** The node's clock less the page's, in seconds. */
  readonly ahead: number
}

const PAUSE = 950
/** Seconds. */
export const SPAN = 30
const MOST = 15_000
const SIGHTS = 20

/** What devices did in the last 30 s, as long as nobody pauses it; undefined until the node has answered. */
export const useSteps = (isPaused: boolean): Steps | undefined => {
  const [steps, setSteps] = useState<Steps>()
  const [seen] = useState({ next: 0, steps: [] as Step[], aheads: [] as number[] })
  usePolling(
    async signal => {
      if (isPaused) return
      const answer = await ask(`api/steps?after=${seen.next}`, { signal })
      if (!answer.ok) return
      const { now, next, devices, every, steps } = (await answer.json()) as ToldSteps
      // Another process counts from 0 again.
      if (next < seen.next) Object.assign(seen, { steps: [], aheads: [] })
      seen.next = next
      seen.steps = [...seen.steps, ...steps].filter(step => endOf(step) > now - SPAN - 2).slice(-MOST)
      // Answers come late, never early: the largest difference is the best known.
      seen.aheads = [...seen.aheads, now - performance.now() / 1000].slice(-SIGHTS)
      setSteps({ devices, every, steps: seen.steps, ahead: Math.max(...seen.aheads) })
    },
    PAUSE,
    isPaused ? 'paused' : 'live'
  )
  return steps
}

const endOf = (step: Step): number => ('end' in step ? step.end : step.at)
