import { EmulatedNetwork } from '../../emulation/emulated-network.ts'
import type { OpenDeviceOptions } from '../../node/open-device.ts'
import type { IoSpec } from '../../runtime/io/io-spec.ts'
import type { StateFolder } from '../../runtime/state/state-folder.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import type { NodeLog } from './node-log.ts'
import type { NodeOptions } from './node-options.ts'
import { ownedModels } from './owned-models.ts'
import { readJoins } from './read-joins.ts'

/** What the flags say of the device, in the words of whoever makes one. */
export const deviceOptions = async (
  options: NodeOptions,
  folder: StateFolder,
  spec: IoSpec | undefined,
  log: NodeLog
): Promise<Omit<OpenDeviceOptions, 'engine'>> => {
  const { links, join, joinFiles } = options
  return {
    ...options,
    folder,
    join: () => readJoins({ join, joinFiles, say: (text, level) => log.say(text, level) }),
    createPolicy: POLICIES[options.policy],
    declaresWork: options.controlled,
    ownTimes: options.times,
    models: await ownedModels(options, folder, spec),
    show: showerOf(options),
    ...(links.isEmpty
      ? {}
      : {
          shaper: (peer, name) => links.shaperOf(peer, name),
          decorate: (network, said) => new EmulatedNetwork(network, peer => links.exists(peer, said(peer)))
        })
  }
}

/** Where the invite is seen by who started this and by nobody else: the terminal, or standard output where that is asked for. */
const showerOf = ({ printInvite, jsonEvents }: NodeOptions): ((text: string) => void) | undefined => {
  if (process.stderr.isTTY) return text => void process.stderr.write(text)
  // Programs get it in an event.
  return printInvite && !jsonEvents ? text => void process.stdout.write(text) : undefined
}
