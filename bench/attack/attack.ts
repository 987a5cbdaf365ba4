import { join } from 'node:path'
import { seconds } from '../../src/core/units.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { type HostileMember, introduced, openHostileMember } from '../../src/testing/hostile-member.ts'
import type { HonestCluster } from './honest-cluster.ts'

/** What an attack is played with. */
export interface Stage {
  readonly cluster: HonestCluster
  /** The attack is over. */
  readonly signal: AbortSignal
  /** Something was tried, so often. */
  count(times?: number): void
  /** What the table says beside the numbers. */
  note(text: string): void
  /** A member that is connected to all four; it leaves when the attack is over. */
  member(): Promise<HostileMember>
}

/** One way to harm a cluster. */
export interface Attack {
  readonly name: string
  /** For people: who does what. */
  readonly what: string
  /** What came of it before there was a defence, as issue 18 has it; '' where nobody had tried. */
  readonly once: string
  /** What the table counts. */
  readonly unit: string
  /** It plays in seconds and takes little of the machine: in `npm test` too. */
  readonly isQuick?: boolean
  /** Flags of the honest devices. */
  readonly flags?: readonly string[]
  /** Until the signal, or it is done. */
  readonly play: (stage: Stage) => Promise<void>
  /** Of what was noted or counted: more than numbers say. @returns what is wrong */
  readonly fault?: (stage: Stage) => string | undefined
}

/** Again and again until the signal. @param pause between two, seconds */
export const again = async (signal: AbortSignal, pause: number, work: () => Promise<void> | void): Promise<void> => {
  while (!signal.aborted) {
    await work()
    await systemClock.sleep(seconds(pause))
  }
}

/** A stage, and what has come of an attack on it. */
export interface OpenStage {
  readonly stage: Stage
  readonly times: () => number
  readonly notes: readonly string[]
  /** The attack is over. */
  readonly end: () => void
  /** Its members leave. */
  readonly leave: () => Promise<void>
}

let members = 0

export const openStage = (cluster: HonestCluster): OpenStage => {
  const over = new AbortController()
  const notes: string[] = []
  const joined: HostileMember[] = []
  let times = 0
  const stage: Stage = {
    ...{ cluster, signal: over.signal },
    count: (more = 1) => {
      times += more
    },
    note: text => void notes.push(text),
    member: async () => {
      const member = await openHostileMember(cluster.invite, join(cluster.home, `hostile-${members++}`))
      joined.push(member)
      await introduced(member, 4)
      return member
    }
  }
  return {
    ...{ stage, notes, times: () => times },
    end: () => over.abort(new Error('the attack is over')),
    leave: async () => {
      await Promise.all(joined.map(({ network }) => network.stop()))
    }
  }
}
