import { Command, InvalidArgumentError } from 'commander'
import { namesOf } from '../core/names-of.ts'
import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import { DEMO_POLICIES, DEMO_SOURCES, type DemoPolicy } from './demo/demo-cluster.ts'
import { ENCODING_HELP, parseEncodingChoice } from './parse-encoding-choice.ts'

interface DemoFlags {
  readonly json?: boolean
  readonly policy: string
  readonly activationEncoding: string
  readonly images?: string
  readonly count: number
  readonly kill?: string
  readonly seed: string
  readonly renderOnly?: string
  readonly live?: boolean
  readonly seconds: number
}

const EXAMPLES = `
Examples:
  $ tributary demo
  $ tributary demo --policy confluence --kill attic@2
  $ tributary demo --images ~/text-lines
  $ tributary demo --render-only lines --seed 7
  $ tributary demo --live --seconds 60

Exit code 0 when every text that plain ONNX Runtime reads was read the same, exactly once; 1 when not. With an
--activation-encoding other than fp32, texts that are read differently are counted and reported only.`

const count = (text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 500) return value
  throw new InvalidArgumentError('It must be a whole number from 1 to 500.')
}

const wholeSeconds = (text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 5 && value <= 3600) return value
  throw new InvalidArgumentError('It must be a whole number from 5 to 3600.')
}

/** `tributary demo`: flags only; the work is in demo/. */
export const command = new Command('demo')
  .summary('the main job on this machine: four emulated devices, two with images, one model')
  .description(
    'Start four emulated devices as four processes, cut a text recognition model across them, recognise the images ' +
      'of two of them under each policy in turn, in three rounds, and compare.'
  )
  .option('--json', 'print one JSON document')
  .option('--policy <names>', 'which policies to run, in this order, separated by commas', DEMO_POLICIES.join(','))
  .option('--activation-encoding <name>', ENCODING_HELP, 'fp32')
  .option(
    '--images <dir>',
    `your own images of text lines, in folders ${DEMO_SOURCES.join(' and ')} or to be dealt out`
  )
  .option('--count <n>', 'images drawn for each source; from 24 on in rounds', count, 72)
  .option('--kill <device@seconds>', 'kill -9 a worker that long after each round begins')
  .option('--seed <text>', 'for the drawn images', '1')
  .option(
    '--live',
    'two cameras (videos that ffmpeg makes) on three devices that cannot keep up, one of which is killed'
  )
  .option('--seconds <n>', 'with --live: how long the cameras run', wholeSeconds, 60)
  .option('--render-only <dir>', 'only draw the images, and write what stands on them to DIR/texts.json')
  .addHelpText('after', EXAMPLES)
  .action(async (flags: DemoFlags) => {
    const { runDemoCommand } = await import('./demo/run-demo-command.ts')
    const activationEncoding = parseEncodingChoice(flags.activationEncoding)
    const policies = parsePolicies(flags.policy)
    if (flags.live === true) refuseBeside(command)
    await runDemoCommand({ ...flags, policies, activationEncoding })
  })

/** Of the demo with images. @throws UserError */
const refuseBeside = (command: Command): void => {
  const given = (name: string): boolean => command.getOptionValueSource(name) === 'cli'
  const flag = { images: '--images', count: '--count' }
  for (const [name, word] of Object.entries(flag))
    if (given(name)) throw new UserError(`${word} is for the demo with images; leave it out, or --live`)
  if (given('policy') && command.opts<DemoFlags>().policy.includes(','))
    throw new UserError('--live shows one policy; give --policy one name')
}

const parsePolicies = (text: string): DemoPolicy[] => {
  const names = namesOf(text)
  const known: readonly string[] = DEMO_POLICIES
  for (const name of names) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const meant = near === undefined ? '' : ` (did you mean ${near}?)`
    throw new UserError(`--policy "${name}" is not a policy of the demo${meant}; known: ${known.join(', ')}`)
  }
  return [...new Set(names as DemoPolicy[])]
}
