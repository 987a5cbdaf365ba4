import { hostname } from 'node:os'
import { Command } from 'commander'
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
  readonly json?: boolean
}

export const command = new Command('invite')
  .summary("print the cluster's invite")
  .description(
    'Print the invite of the cluster that the device on this machine belongs to. Whoever has it can join: treat it as a password. It names the addresses of this device and of others that it knows, and stays good as long as one of them does.'
  )
  .option('--name <name>', 'the device (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option('--json', 'print { invite, addresses, running }')
  .action(async (flags: InviteFlags) => {
    const folder = stateFolderOf(flags.name ?? hostname(), flags.state)
    const device = await readDevice(folder)
    if (device === undefined) {
      throw new UserError(
        `--state ${folder.path}: no device has run with it yet; start one with: tributary node --state ${folder.path}`
      )
    }
    const { invite, addresses } = await composeInvite(folder, device)
    const { isReachable } = await import('../runtime/network/is-reachable.ts')
    // What a device that was killed left behind says that it runs; what listens on its port may be another one.
    const running = (await readRunning(folder)) !== undefined && (await isReachable(device.addresses))
    process.stdout.write(flags.json === true ? `${JSON.stringify({ invite, addresses, running })}\n` : `${invite}\n`)
    if (!running) process.stderr.write(`tributary: ${describeDown(device, folder, addresses)}\n`)
  })

const composeInvite = async (
  folder: StateFolder,
  { keyFile, addresses: own }: DeviceFile
): Promise<{ readonly invite: string; readonly addresses: readonly string[] }> => {
  const [{ readClusterKey }, { encodeInvite, inviteAddresses }, { readPeers }] = await Promise.all([
    import('../runtime/network/cluster-key.ts'),
    import('../runtime/network/invite.ts'),
    import('../runtime/state/peers-file.ts')
  ])
  const say = (text: string): void => void process.stderr.write(`tributary: ${text}\n`)
  const others = (await readPeers(folder, say)).map(peer => peer.addresses)
  const addresses = inviteAddresses(own, others)
  return { invite: encodeInvite({ key: await readClusterKey(keyFile), addresses }), addresses }
}

const describeDown = ({ name }: DeviceFile, { path }: StateFolder, addresses: readonly string[]): string =>
  `${name} is down: nobody answers where it listened. The invite is good as soon as it runs again (tributary node --name ${name} --state ${path}), or another device at ${addresses.join(', ')} does`
