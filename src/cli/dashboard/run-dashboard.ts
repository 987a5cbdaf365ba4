import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytes, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { RecentLines } from '../../dashboard/recent-lines.ts'
import { RecentResults } from '../../dashboard/recent-results.ts'
import { openDevice } from '../../node/open-device.ts'
import { createEngine } from '../../runtime/engine/create-engine.ts'
import { parseEndpoint } from '../../runtime/parse-endpoint.ts'
import { stateFolderOf } from '../../runtime/state/state-folder.ts'
import { systemClock, wallTime } from '../../runtime/system-clock.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import type { DashboardFlags } from '../dashboard-command.ts'
import { createNodeLog, type NodeLog } from '../node/node-log.ts'
import { openNodeDashboard } from '../node/open-node-dashboard.ts'
import { untilToldToStop } from '../node/until-told-to-stop.ts'
import { wayToCluster } from '../node/way-to-cluster.ts'

/**
 * Joins as a guest with room for nothing, and shows what it hears until it is told to stop.
 * @throws UserError where there is no cluster to join, or the page's port is taken
 */
export const runDashboard = async (at: string, flags: DashboardFlags): Promise<void> => {
  const dashboard = parseEndpoint('the page', at)
  const way = await wayToCluster({ ...flags, name: flags.name ?? hostname() })
  if ('missing' in way)
    throw new UserError(
      `no device runs with ${way.missing}: name the cluster to look at with --join, or the device on this machine with --state or --name`
    )
  const folder = stateFolderOf('', await mkdtemp(join(tmpdir(), 'tributary-dashboard-')))
  const lines = new RecentLines(wallTime)
  const log = logInto(lines)
  const leave = untilToldToStop({ exitWithParent: false }, log)
  try {
    await using engine = createEngine()
    await using opened = await openDevice(
      {
        ...{ name: nameHere(), folder, engine, createPolicy: POLICIES.confluence, memory: bytes(0), models: [] },
        ...{ role: 'guest', listen: [], port: 0, anyPort: false, mdns: false, plans: false, ...way }
      },
      log
    )
    const { device, cluster } = opened
    await using _page = await openNodeDashboard({
      options: { dashboard, serving: servingOf(flags) },
      ...{ device, log, lines, results: new RecentResults(systemClock), metrics: undefined },
      ...{ invite: () => cluster.invite(), sources: undefined }
    })
    const started = device.start()
    if (await leave.unlessAsked(started)) {
      await cluster.announce()
      await Promise.race([leave.asked, device.failed.then(error => Promise.reject(error))])
    }
    await device.stop({ patience: seconds(0) })
  } finally {
    leave.forget()
    await rm(folder.path, { recursive: true, force: true })
  }
}

/** What others see of it while it is there. */
const nameHere = (): string => `looks-${hostname().replace(/[^\p{L}\p{N}._-]/gu, '-')}`.slice(0, 63)

const logInto = (lines: RecentLines): NodeLog => {
  const log = createNodeLog({ name: 'dashboard', format: 'text', jsonEvents: false })
  return {
    ...log,
    say: (text, level) => {
      lines.add(text, level)
      log.say(text, level)
    }
  }
}

const servingOf = ({ serveTokenFile, serveTlsCert, serveTlsKey }: DashboardFlags) => ({
  tokenFile: serveTokenFile,
  tlsCert: serveTlsCert,
  tlsKey: serveTlsKey
})
