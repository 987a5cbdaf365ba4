import type { DeviceHere } from '../../node/footing-here.ts'
import { readClusterKey } from '../../runtime/network/cluster-key.ts'
import { readRunning, stateFolderOf } from '../../runtime/state/state-folder.ts'
import { JOIN_VARIABLE, readJoins } from './read-joins.ts'

export interface ToldWay {
  readonly name: string
  readonly state?: string | undefined
  readonly join: readonly string[]
  readonly joinFile: readonly string[]
  readonly clusterKey?: string | undefined
}

export interface WayToCluster {
  readonly join: () => Promise<readonly string[]>
  readonly clusterKey?: string | undefined
  /** The device on this machine that is gone by. */
  readonly from?: DeviceHere | undefined
}

/**
 * How a cluster is joined: as it was told, else as the device on this machine is reached.
 * @returns the folder where none runs
 * @throws UserError for a key file that is none
 */
export const wayToCluster = async (told: ToldWay): Promise<WayToCluster | { readonly missing: string }> => {
  const { name, state, join, joinFile, clusterKey } = told
  const isTold = join.length + joinFile.length > 0 || (process.env[JOIN_VARIABLE] ?? '') !== ''
  // Nobody who asks makes a key: a name that is mistyped would be taken for a new one.
  if (clusterKey !== undefined) await readClusterKey(clusterKey)
  const say = (text: string): void => void process.stderr.write(`tributary: ${text}\n`)
  if (isTold) return { join: () => readJoins({ join, joinFiles: joinFile, say }), clusterKey }
  const folder = stateFolderOf(name, state)
  const running = await readRunning(folder)
  if (running === undefined) return { missing: folder.path }
  const reach = async (): Promise<readonly string[]> => running.addresses
  return clusterKey === undefined
    ? { join: reach, from: { folder, keyFile: running.keyFile } }
    : { join: reach, clusterKey }
}
