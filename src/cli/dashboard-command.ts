import { Command } from 'commander'
import { collect } from './collect.ts'

export interface DashboardFlags {
  readonly name?: string
  readonly state?: string
  readonly join: string[]
  readonly joinFile: string[]
  readonly clusterKey?: string
  readonly serveTokenFile?: string
  readonly serveTlsCert?: string
  readonly serveTlsKey?: string
}

/** `tributary dashboard`: flags only; the work is in dashboard/run-dashboard.ts. */
export const command = new Command('dashboard')
  .summary('look at the cluster on a page, from a machine that takes no part in it')
  .description(
    'Join a cluster only to look: nothing is placed here, and nobody misses this machine when it goes. The page is there until Ctrl-C.'
  )
  .argument('[host:port]', 'where the page is; without a host only this machine reaches it', '8080')
  .option(
    '--join <invite-or-address>',
    'an invite, or the address of any device (with --cluster-key), repeatable; - reads it from standard input',
    collect,
    []
  )
  .option(
    '--join-file <file>',
    'the same from a file, repeatable; or from the variable TRIBUTARY_JOIN; without any the device on this machine is asked',
    collect,
    []
  )
  .option('--cluster-key <file>', 'the shared key')
  .option('--name <name>', 'the device on this machine to look through (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option(
    '--serve-token-file <file>',
    'who looks must bring the bearer token that stands in this file, and may act with it'
  )
  .option('--serve-tls-cert <file>', 'the page is encrypted, with this certificate in PEM')
  .option('--serve-tls-key <file>', 'and its key')
  .addHelpText(
    'after',
    `
Without --serve-token-file the page can only look. With it devices can be drained and the invite be shown; sources are
changed on the page of the node that has them (tributary node --dashboard).

Example:
  $ tributary dashboard --join-file invite.txt 8080
`
  )
  .action(async (at: string, flags: DashboardFlags) => {
    const { runDashboard } = await import('./dashboard/run-dashboard.ts')
    await runDashboard(at, flags)
  })
