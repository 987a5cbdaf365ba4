import { seconds } from '../../core/units.ts'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { isReachable } from '../../runtime/network/is-reachable.ts'
import { readPeers } from '../../runtime/state/peers-file.ts'
import type { RunningDeviceFile } from '../../runtime/state/state-folder.ts'
import type { DoctorFlags } from '../doctor-command.ts'
import { askStatus } from '../node/ask-status.ts'
import { openAsker } from '../node/open-asker.ts'
import { JOIN_VARIABLE } from '../node/read-joins.ts'
import { checkLinks } from './check-links.ts'
import type { Finding } from './finding.ts'
import { type LinkReport, linkReports } from './link-report.ts'
import { ownFindings } from './own-findings.ts'
import type { Patient } from './patient.ts'

export interface ClusterFindings {
  readonly findings: readonly Finding[]
  readonly links: readonly LinkReport[]
}

/** What the running device says of itself and of the others. */
export const checkCluster = async (
  flags: DoctorFlags,
  { name, folder }: Patient,
  running: RunningDeviceFile | undefined
): Promise<ClusterFindings> => {
  const isNamed = flags.join.length + flags.joinFile.length > 0 || (process.env[JOIN_VARIABLE] ?? '') !== ''
  if (running === undefined && !isNamed)
    return only({
      check: 'device',
      state: 'note',
      found: `none runs with ${folder.path}`,
      remedy: `tributary node --name ${name} starts it; --state, --name or --join look at another`
    })
  try {
    await using asker = await openAsker({
      name,
      state: folder.path,
      join: flags.join,
      joinFiles: flags.joinFile,
      clusterKey: flags.clusterKey,
      timeout: seconds(Number(flags.timeout))
    })
    const status = await askStatus(asker)
    const links = linkReports(status)
    return { findings: [...ownFindings(status), ...checkLinks(links), ...(await awayFindings(status, folder))], links }
  } catch (error) {
    return only({
      check: 'device',
      state: 'todo',
      found: (error as Error).message,
      remedy:
        running === undefined
          ? 'look whether it runs, and whether its address can be reached from here'
          : `start it again; it was process ${running.pid}`
    })
  }
}

const only = (finding: Finding): ClusterFindings => ({ findings: [finding], links: [] })

/** Members of earlier: who listens where it was and is none now has another key, or does not get through to us. */
const awayFindings = async (status: ClusterStatus, folder: Patient['folder']): Promise<readonly Finding[]> => {
  const there = new Set(status.devices.map(({ id }) => id))
  const known = await readPeers(folder, () => {})
  const away = known.filter(({ id }) => !there.has(id))
  return Promise.all(
    away.map(async ({ name, id, addresses }): Promise<Finding> => {
      const check = `member ${name === '' ? `...${id.slice(-8)}` : name}`
      const where = addresses.slice(0, 3).join(', ')
      if (await isReachable(addresses))
        return {
          check,
          state: 'todo',
          found: `is away, and something listens at ${where}`,
          remedy: 'look at its log: it may have another key, or not reach this device'
        }
      return {
        check,
        state: 'note',
        found: `is away: nobody listens at ${where}`,
        remedy: 'switch it on, if it is to be there'
      }
    })
  )
}
