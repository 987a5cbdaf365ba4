import { useState } from 'preact/hooks'
import type { ShownResult } from '../shown-result.ts'
import { ask } from './ask.ts'
import { usePolling } from './use-polling.ts'

const PAUSE = 1000
const KEPT = 12

type Results = ReadonlyMap<string, readonly ShownResult[]>

/** The last data of the node's sources, by the source's id, the latest last; undefined until it has answered. */
export const useResults = (): Results | undefined => {
  const [results, setResults] = useState<Results>()
  const [seen] = useState({ number: 0, life: new Map<string, readonly ShownResult[]>() })
  usePolling(
    async signal => {
      const answer = await ask(`api/results?after=${seen.number}`, { signal })
      if (!answer.ok) return
      const fresh = (await answer.json()) as readonly ShownResult[]
      for (const result of fresh) {
        seen.number = Math.max(seen.number, result.number)
        seen.life.set(result.source, [...(seen.life.get(result.source) ?? []), result].slice(-KEPT))
      }
      if (fresh.length > 0 || seen.number === 0) setResults(new Map(seen.life))
    },
    PAUSE,
    'results'
  )
  return results
}
