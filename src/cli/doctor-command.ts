import { hostname } from 'node:os'
import { Command } from 'commander'
import { collect } from './collect.ts'

/** Of `tributary doctor`, as commander hands them over. */
export interface DoctorFlags {
  readonly name?: string
  readonly state?: string
  readonly port?: string
  readonly config?: string
  readonly join: string[]
  readonly joinFile: string[]
  readonly clusterKey?: string
  readonly timeout: string
  readonly mdns: boolean
  readonly json?: boolean
}

export const command = new Command('doctor')
  .summary('look at this machine and its device: what is well, and what to do about what is not')
  .description(
    'Checks Node.js, ONNX Runtime, packages, ffmpeg, the port, mDNS, the clock, the disk, memory and its limits, the running device, and its links to the other members, both ways.'
  )
  .option('--config <file>', 'of tributary node: name, state, port and sources are those of the file')
  .option('--name <name>', 'the device on this machine (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option('--port <n>', 'the port that it listens on, or will (default: 6174)')
  .option(
    '--join <invite-or-address>',
    'look at the cluster of the device at this address (an address needs --cluster-key); - reads it from standard input',
    collect,
    []
  )
  .option('--join-file <file>', 'the same from a file; or from the variable TRIBUTARY_JOIN', collect, [])
  .option('--cluster-key <file>', 'the shared key')
  .option('--no-mdns', 'the device does not use mDNS: do not try it')
  .option('--timeout <seconds>', 'wait so long for the device to answer', '10')
  .option('--json', 'print { well, findings: [{ check, state, found, remedy? }], links }')
  .addHelpText(
    'after',
    `
A finding is ok, a note (good to know; nothing must be done) or todo. Rates are those that devices have learnt from what passed.

Exit code 0 where all is well, 1 where there is something to do, 2 for wrong use.

Examples:
  $ tributary doctor
  $ tributary doctor --name porch --json
  $ tributary doctor --config porch.yaml
`
  )
  .action(async (flags: DoctorFlags) => {
    const { runDoctor } = await import('./doctor/run-doctor.ts')
    await runDoctor({ ...flags, name: flags.name ?? hostname() })
  })
