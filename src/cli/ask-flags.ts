import { hostname } from 'node:os'
import type { Command } from 'commander'
import { seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { collect } from './collect.ts'
import type { AskOptions } from './node/open-asker.ts'

/** Which device is asked: the one on this machine, or one elsewhere. */
export interface AskFlags {
  readonly name?: string
  readonly state?: string
  readonly join?: string[]
  readonly joinFile?: string[]
  readonly clusterKey?: string
  readonly timeout: string
}

/** Of commands that ask a device of this machine. @param timeout in seconds */
export const withLocalFlags = (command: Command, timeout = '10'): Command =>
  command
    .option('--name <name>', 'the device on this machine (default: the host name)')
    .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
    .option('--timeout <seconds>', 'give up after this long', timeout)

/** Of commands that ask any device of a cluster. @param timeout in seconds */
export const withAskFlags = (command: Command, timeout?: string): Command =>
  withLocalFlags(command, timeout)
    .option(
      '--join <invite-or-address>',
      'ask the device at this address instead (an address needs --cluster-key); - reads it from standard input',
      collect,
      []
    )
    .option('--join-file <file>', 'the same from a file; or from the variable TRIBUTARY_JOIN', collect, [])
    .option('--cluster-key <file>', 'the shared key')

/** @throws UserError */
export const askOptionsOf = ({
  name = hostname(),
  state,
  join = [],
  joinFile = [],
  clusterKey,
  timeout
}: AskFlags): AskOptions => {
  const limit = Number(timeout)
  if (!(limit > 0 && limit <= 86_400))
    throw new UserError(`--timeout "${timeout}" must be seconds, above 0 and at most 86400`)
  return { name, state, join, joinFiles: joinFile, clusterKey, timeout: seconds(limit) }
}
