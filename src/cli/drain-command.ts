import { Command } from 'commander'
import { NoAnswerError } from '../core/user-error.ts'
import { type AskFlags, askOptionsOf, withAskFlags } from './ask-flags.ts'

interface DrainFlags extends AskFlags {
  readonly json?: boolean
}

export const command = withAskFlags(
  new Command('drain')
    .summary('have a device hand over what it carries, and stop')
    .description(
      'Take a device out of a running cluster without loss: it says that it leaves, the others load what it carries, data under way go on meanwhile, then it stops as by Ctrl-C. Its sources end; what they have not read is read at its next start. It is started again by hand.'
    ),
  '60'
)
  .argument('[device]', 'any device of the cluster, by name or id (default: the asked one)')
  .option('--json', 'print { device, id, handedOver, because, sources }')
  .addHelpText(
    'after',
    '\nAny device can be asked: the one on this machine, or one at an address. It takes the key of the cluster (--cluster-key FILE,\nor a state folder with it), or the state folder of the device itself. A device inside another program is stopped by that\nprogram alone.\n\nExit code 0 when others carry its blocks; 1 when they do not within 30 s, or nobody else is\nthere: it stops all the same; 2 where there is no such\ndevice, or it cannot be drained.\n\nExamples:\n  $ tributary drain attic --name porch\n  $ tributary drain --state ~/.tributary/porch\n'
  )
  .action(async (device: string | undefined, flags: DrainFlags) => {
    const options = askOptionsOf(flags)
    const { askDrain } = await import('./node/ask-drain.ts')
    const { harmless } = await import('./harmless.ts')
    const drained = await askDrain(options, device)
    const ends = drained.sources.length === 0 ? '' : `; its sources end: ${drained.sources.join(', ')}`
    if (flags.json === true) process.stdout.write(`${JSON.stringify(drained)}\n`)
    else if (drained.handedOver)
      process.stdout.write(`${harmless(`${drained.device} stops: others carry what it carried${ends}`)}\n`)
    if (!drained.handedOver) throw new NoAnswerError(`${drained.device} stops, but ${drained.because}${ends}`)
  })
