import { Command } from 'commander'
import { UserError } from '../core/user-error.ts'

interface ZooFlags {
  readonly out?: string
  readonly seed: string
  readonly sequence?: string
  readonly list?: boolean
  readonly json?: boolean
}

export const command = new Command('zoo')
  .summary('write a well-known network with random weights')
  .description(
    'Write a network that papers measure as an ONNX file, with seeded random weights: for benches and tests where weights do not matter.'
  )
  .argument('[name]', 'which network; --list shows them')
  .option('--out <file>', 'where to write it; a file that is there is replaced')
  .option('--seed <n>', 'same seed, same bytes', '1')
  .option('--sequence <n>', 'words in the input, for networks that read text')
  .option('--list', 'show the networks')
  .option('--json', 'print { file, sha256, bytes, parameters }')
  .addHelpText('after', '\nExample:\n  $ tributary zoo resnet50 --out resnet50.onnx\n')
  .action(async (name: string | undefined, flags: ZooFlags) => {
    if (flags.list === true) return list(flags.json === true)
    if (name === undefined) throw new UserError('zoo: name a network, for example resnet50; --list shows them all')
    await write(name, flags)
  })

const list = async (json: boolean): Promise<void> => {
  const { ZOO } = await import('../model/zoo/zoo.ts')
  const models = Object.entries(ZOO).map(([name, { what, sequence, build }]) => {
    const { parameters, macs } = build(sequence?.byDefault ?? 0)
    return { name, what, parameters, macs, ...(sequence === undefined ? {} : { sequence }) }
  })
  const rows = models.map(
    ({ name, what, parameters, macs }) =>
      `${name.padEnd(18)} ${millions(parameters).padStart(7)} parameters ${millions(macs).padStart(8)} multiply-adds  ${what}`
  )
  process.stdout.write(json ? `${JSON.stringify({ models })}\n` : `${rows.join('\n')}\n`)
}

const write = async (name: string, { out, seed, sequence, json }: ZooFlags): Promise<void> => {
  const { zooGraph } = await import('../model/zoo/zoo.ts')
  const { writeZooModel } = await import('../model/files/write-zoo-model.ts')
  const graph = zooGraph(name, sequence === undefined ? undefined : whole('--sequence', sequence))
  if (out === undefined) throw new UserError(`zoo: say where to write it: tributary zoo ${name} --out ${name}.onnx`)
  const progress = progressLine(out)
  const { sha256, bytes } = await writeZooModel(graph, out, {
    seed: whole('--seed', seed),
    ...(progress === undefined ? {} : { progress })
  })
  const { parameters } = graph
  if (json === true) process.stdout.write(`${JSON.stringify({ file: out, sha256, bytes, parameters })}\n`)
  else process.stdout.write(`${out}: ${millions(parameters)} parameters, ${bytes} bytes, SHA-256 ${sha256}\n`)
}

const millions = (n: number): string => `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)} M`

const whole = (flag: string, text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new UserError(`${flag} ${text}: not a whole number from 0 on`)
  }
  return value
}

/** Tells a terminal how far a large file is; silent elsewhere. */
const progressLine = (out: string): ((done: number, total: number) => void) | undefined => {
  if (!process.stderr.isTTY) return undefined
  let shown = -1
  return (done, total) => {
    const percent = Math.floor((100 * done) / total)
    if (percent === shown) return
    shown = percent
    process.stderr.write(done === total ? '\r\x1b[K' : `\rwriting ${out}: ${percent} %`)
  }
}
