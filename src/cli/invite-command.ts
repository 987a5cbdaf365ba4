import { hostname } from 'node:os'
import { Command } from 'commander'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import { type Seconds, seconds } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import {
  type DeviceFile,
  readDevice,
  readRunning,
  type StateFolder,
  stateFolderOf
} from '../runtime/state/state-folder.ts'

interface InviteFlags {
  readonly name?: string
  readonly state?: string
  readonly for?: string
  readonly expires?: string
  readonly once?: boolean
  readonly open?: boolean
  readonly json?: boolean
}

export const command = new Command('invite')
  .summary('print an invite into the cluster')
  .description(
    "Print an invite into the cluster of the device on this machine, which must be one that holds the cluster's key. Whoever has the invite can join: treat it as a password. It names the addresses of this device and of others that it knows. Without options it lets any number of devices in, for a day."
  )
  .option('--name <name>', 'the device (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option('--for <name>', 'only the device of this name may join with it')
  .option('--expires <time>', 'how long it is good: 30s, 10m, 1h, 7d', '1d')
  .option('--once', 'it is good for one device')
  .option(
    '--open',
    "it has the cluster's key itself: it never expires, and whoever has it admits others too; for laboratories"
  )
  .option('--json', 'print { invite, addresses, expires, running }')
  .addHelpText(
    'after',
    '\nExample:\n  $ tributary invite --for porch --expires 1h --once --state ~/.tributary/shed > invite.txt\n'
  )
  .action(async (flags: InviteFlags, self: Command) => {
    if (
      flags.open === true &&
      (flags.for !== undefined || flags.once === true || self.getOptionValueSource('expires') === 'cli')
    )
      throw new UserError('--open: such an invite has no terms; leave out --for, --expires and --once')
    if (flags.for !== undefined && !NAME_PATTERN.test(flags.for))
      throw new UserError(`--for "${flags.for}" cannot name a device: ${NAME_WORDS}`)
    const lasts = parseLasting(flags.expires ?? '1d')
    const folder = stateFolderOf(flags.name ?? hostname(), flags.state)
    const device = await readDevice(folder)
    if (device === undefined) {
      throw new UserError(
        `--state ${folder.path}: no device has run with it yet; start one with: tributary node --state ${folder.path}`
      )
    }
    const { invite, addresses, expires } = await composeInvite(folder, device, flags, lasts)
    const { isReachable } = await import('../runtime/network/is-reachable.ts')
    // What a device that was killed left behind says that it runs; what listens on its port may be another one.
    const running = (await readRunning(folder)) !== undefined && (await isReachable(device.addresses))
    const told = { invite, addresses, expires, running }
    process.stdout.write(flags.json === true ? `${JSON.stringify(told)}\n` : `${invite}\n`)
    const words = [
      ...(flags.json === true ? [] : [describeTerms(flags)]),
      ...(running ? [] : [describeDown(device, folder, addresses)])
    ]
    for (const line of words) process.stderr.write(`tributary: ${line}\n`)
  })

interface Composed {
  readonly invite: string
  readonly addresses: readonly string[]
  /** Seconds since 1970; null: never. */
  readonly expires: number | null
}

/** By the key on the disk: the device need not run. @throws UserError where it has none */
const composeInvite = async (
  folder: StateFolder,
  { keyFile, addresses: own }: DeviceFile,
  { for: name = '', once = false, open = false }: InviteFlags,
  lasts: Seconds
): Promise<Composed> => {
  const [{ findSecret }, { encodeInvite, inviteAddresses }, { createTicket }, { issuedAfter, readRemoval }, ...state] =
    await Promise.all([
      import('../node/cluster-secret.ts'),
      import('../runtime/network/invite.ts'),
      import('../runtime/network/members/ticket.ts'),
      import('../runtime/network/members/removal.ts'),
      import('../runtime/state/peers-file.ts'),
      import('../runtime/system-clock.ts')
    ])
  const [{ readPeers }, { wallTime }] = state
  const say = (text: string): void => void process.stderr.write(`tributary: ${text}\n`)
  const others = (await readPeers(folder, say)).map(peer => peer.addresses)
  const addresses = inviteAddresses(own, others)
  const { footing, kept } = await findSecret([], keyFile === folder.keyFile ? undefined : keyFile, folder, say)
  if (footing?.kind !== 'holder')
    throw new UserError(
      `${folder.path}: this device does not hold the cluster's key, so it cannot invite; ask on one that does: tributary member list shows which`
    )
  const { key } = footing
  if (open) return { invite: encodeInvite({ key, addresses }), addresses, expires: null }
  const expires = seconds(Math.floor(wallTime() + lasts))
  const removals = (kept?.removals ?? []).flatMap(signed => readRemoval(signed, kept!.cluster) ?? [])
  const ticket = createTicket(key, { name, once, expires, issued: issuedAfter(removals, wallTime()) })
  return { invite: encodeInvite({ ticket, addresses }), addresses, expires }
}

const describeTerms = ({ for: name, once, open, expires = '1d' }: InviteFlags): string => {
  if (open === true) return "whoever has this invite has the cluster's key; tributary key rotate ends it"
  const who =
    name !== undefined ? `a device that is called ${name}` : once === true ? 'one device' : 'any number of devices'
  return `good for ${who}, for ${expires}${once === true ? ', once' : ''}`
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
const LONGEST_DAYS = 3650

const parseLasting = (text: string): Seconds => {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const lasts = Number(count) * (UNITS[unit] ?? 0)
  if (lasts > 0 && lasts <= LONGEST_DAYS * 86_400) return seconds(lasts)
  throw new UserError(
    `--expires "${text}" must be a whole number with s, m, h or d, above 0 and at most ${LONGEST_DAYS}d`
  )
}

const describeDown = ({ name }: DeviceFile, { path }: StateFolder, addresses: readonly string[]): string =>
  `${name} is down: nobody answers where it listened. The invite is good as soon as it runs again (tributary node --name ${name} --state ${path}), or one that may admit, too, can be reached at ${addresses.join(', ')}`
