import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import { seconds } from '../../src/core/units.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { type HostileDevice, type HostileDeviceOptions, openHostileDevice } from '../../src/testing/hostile-device.ts'
import { type HostileMember, introduced, openHostileMember } from '../../src/testing/hostile-member.ts'
import type { MemberOptions } from '../../src/testing/member-network.ts'
import type { NodeProcess } from '../../src/testing/node-process.ts'
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
  /** Files of the attacker, of this attack alone; made when somebody writes there. */
  readonly folder: string
  /** A member that is connected to all four; it leaves when the attack is over. */
  member(options?: MemberOptions): Promise<HostileMember>
  /** A device that computes, with what is wrong with it; it leaves when the attack is over. */
  device(options: HostileDeviceOptions): Promise<HostileDevice>
  /** A process as anybody would start it; it is killed when the attack is over. */
  process(name: string, flags: readonly string[]): NodeProcess
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
  /** And of the one that has the source. */
  readonly sourceFlags?: readonly string[]
  /** It leaves another cluster behind: the next attack gets a new one. */
  readonly isLast?: boolean
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
  /** Its members and processes leave. */
  readonly leave: () => Promise<void>
}

let stages = 0

/** @param lent members that others have used before, and will after; absent: each attack has its own */
export const openStage = (cluster: HonestCluster, lent?: Stage['member']): OpenStage => {
  const over = new AbortController()
  setMaxListeners(0, over.signal) // each connection of an attack ends with it
  const notes: string[] = []
  const guests: (() => Promise<unknown>)[] = []
  const folder = join(cluster.folder, `attacker-${stages++}`)
  const folderOf = (): string => join(folder, `blocks-${guests.length}`)
  let times = 0
  const stage: Stage = {
    ...{ cluster, folder, signal: over.signal },
    count: (more = 1) => {
      times += more
    },
    note: text => void notes.push(text),
    member: async options => {
      if (lent !== undefined) return lent(options)
      const member = await openHostileMember(cluster.invite, folderOf(), options)
      guests.push(() => member.network.stop())
      await introduced(member, cluster.nodes.length)
      return member
    },
    device: async options => {
      const device = await openHostileDevice(cluster.invite, folderOf(), options)
      guests.push(async () => device[Symbol.asyncDispose]())
      return device
    },
    process: (name, flags) => {
      const started = cluster.start(name, flags)
      guests.push(() => {
        started.child.kill('SIGKILL')
        return started.ended
      })
      return started
    }
  }
  return {
    ...{ stage, notes, times: () => times },
    end: () => over.abort(new Error('the attack is over')),
    leave: async () => {
      await Promise.all(guests.map(leave => leave()))
    }
  }
}
