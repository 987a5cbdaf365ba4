import { hostname } from 'node:os'
import { Command } from 'commander'
import { PROVIDER_CHOICES } from '../runtime/engine/providers/provider-name.ts'
import { PRESET_NAMES } from '../runtime/io/presets.ts'
import { POLICY_NAMES } from '../scheduler/policies.ts'
import { collect } from './collect.ts'

/** Of `tributary infer`, as commander hands them over. */
export interface InferFlags {
  readonly preset?: string
  readonly io?: string
  readonly shape: string[]
  readonly out: string
  readonly tokenFile?: string
  readonly name: string
  readonly state?: string
  readonly join: string[]
  readonly joinFile: string[]
  readonly clusterKey?: string
  readonly policy: string
  readonly provider: string
  readonly providerOptions?: string
  readonly timeout: string
  readonly json?: boolean
}

export const command = new Command('infer')
  .summary('send files to a model, and print the answers')
  .description(
    'The smallest client. With the URL of a node that serves (or of any server of the Open Inference Protocol) it asks that. With the name of a model it joins the cluster for this one job; with an .onnx file it brings the model along, and where there is no cluster computes it here.'
  )
  .argument('<model-or-url>', 'http://HOST:PORT/v2/models/NAME, a name in the cluster, or a file')
  .argument('<files...>', 'what the model is to look at')
  .option('--preset <name>', `how files become tensors and outputs answers: ${PRESET_NAMES.join(', ')} (default: raw)`)
  .option('--io <file>', 'the same, described in YAML')
  .option('--shape <input=dims>', 'fix dynamic dimensions of an .onnx file, like x=1x3x48x320, repeatable', collect, [])
  .option('--out <dir>', 'for answers that are files', '.')
  .option('--token-file <file>', 'the bearer token of the server')
  .option('--name <name>', 'the device on this machine whose cluster is joined (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option(
    '--join <invite-or-address>',
    'join this cluster instead (an address needs --cluster-key); - reads it from standard input',
    collect,
    []
  )
  .option('--join-file <file>', 'the same from a file; or from the variable TRIBUTARY_JOIN', collect, [])
  .option('--cluster-key <file>', 'the shared key')
  .option('--policy <name>', `${POLICY_NAMES.join(', ')}; as the devices have it`, 'confluence')
  .option(
    '--provider <name>',
    `what runs an .onnx file that is computed here: ${PROVIDER_CHOICES.join(', ')} (docs/providers.md)`,
    'cpu'
  )
  .option('--provider-options <file>', 'options of execution providers, in YAML')
  .option('--timeout <seconds>', 'wait so long for the model, and for each answer', '60')
  .option('--json', 'print { model, answers: [{ item, result } or { item, failed }] }')
  .addHelpText(
    'after',
    `
Exit code 0 with an answer to each file, 1 where some have none, 2 for wrong use or a server that is not there.

Examples:
  $ tributary infer http://localhost:8000/v2/models/ocr line.png --preset ppocr-rec
  $ tributary infer ocr line.png other.png --preset ppocr-rec --join-file invite.txt
  $ tributary infer model.onnx x.npy --json
`
  )
  .action(async (model: string, files: string[], flags: InferFlags) => {
    const { runInfer } = await import('./infer/run-infer.ts')
    await runInfer(model, files, { ...flags, name: flags.name ?? hostname() })
  })
