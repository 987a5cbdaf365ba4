import type { Clock } from '../../core/clock.ts'
import type { Scenario, ScenarioEvent } from '../../core/scenario.ts'
import { seconds } from '../../core/units.ts'
import type { EmulatedCluster } from './emulated-cluster.ts'

export interface DuringEventsParts {
  readonly cluster: Pick<EmulatedCluster, 'slow' | 'relink' | 'join' | 'kill' | 'leave'>
  readonly scenario: Pick<Scenario, 'events'>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Lets the scenario's events happen at their instants, from now on, until `run` is over.
 * @param run its signal aborts when nobody waits for it any more
 * @throws what the run or an event throws, whichever is first
 */
export const duringEvents = async (
  parts: DuringEventsParts,
  run: (signal: AbortSignal) => Promise<void>
): Promise<void> => {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, parts.signal])
  const failed = Promise.withResolvers<never>()
  const happening = happen({ ...parts, signal }, failed.reject)
  const running = run(signal)
  try {
    await Promise.race([running, happening.then(() => running), failed.promise])
  } finally {
    over.abort(new Error('the run is over'))
    await happening.catch(() => {})
  }
}

const happen = async (
  { cluster, scenario, clock, signal }: DuringEventsParts,
  fail: (error: unknown) => void
): Promise<void> => {
  const start = clock.now()
  for (const event of scenario.events) {
    try {
      await clock.sleep(seconds(Math.max(0, start + event.at - clock.now())), { signal })
    } catch {
      return
    }
    // Its earlier process may take seconds to end: the next event does not wait for that.
    if (event.kind === 'joins') cluster.join(event.device).catch(fail)
    else await happenNow(cluster, event)
  }
}

const happenNow = async (
  cluster: DuringEventsParts['cluster'],
  event: Exclude<ScenarioEvent, { readonly kind: 'joins' }>
): Promise<void> => {
  if (event.kind === 'speed') await cluster.slow(event.device, event.speed)
  else if (event.kind === 'leaves') {
    if (event.how === 'kill') cluster.kill(event.device)
    else cluster.leave(event.device)
  } else {
    const { rate, latency } = event
    for (const { from, to } of event.links)
      await cluster.relink(from, to, {
        ...(rate === undefined ? {} : { rate }),
        ...(latency === undefined ? {} : { latency })
      })
  }
}
