import { Command } from 'commander'
import { formatBytes, formatSeconds } from '../core/format-quantity.ts'
import { UserError } from '../core/user-error.ts'
import type { StudiedModel } from '../model/cut-model.ts'
import { parseShapes } from '../model/parse-shapes.ts'
import { textTable } from '../report/text-table.ts'
import type { ProviderTrial } from '../runtime/engine/providers/provider-trial.ts'
import { collect } from './collect.ts'
import { parseCount } from './parse-count.ts'
import { sayLeftOut } from './say-left-out.ts'

interface ProfileFlags {
  readonly shape: string[]
  readonly blocks: string
  readonly runs: string
  readonly threads: string
  readonly out?: string
  readonly providers?: boolean
  readonly providerOptions?: string
  readonly json?: boolean
}

/** Seconds and bytes. */
interface Profile {
  readonly model: string
  readonly machine: string
  readonly threads: number
  readonly runs: number
  /** Median of the blocks run one after another. */
  readonly seconds: number
  readonly blocks: readonly {
    index: number
    nodes: number
    bytes: number
    flops: number
    seconds: number
    least: number
  }[]
  readonly activations: readonly number[]
  /** Of each block, where it was asked for: how each execution provider did. */
  readonly providers?: readonly (readonly ProviderTrial[])[]
}

export const command = new Command('profile')
  .summary('time every block of a model on this machine')
  .description(
    'Cut a model into the blocks that a cluster would use, and time each here: median and least of several runs, after warm-up.'
  )
  .argument('<model>', 'an ONNX file')
  .option('--shape <input=dims>', 'fix dynamic dimensions, like x=1x3x48x320 (or x=scalar), repeatable', collect, [])
  .option('--blocks <n>', 'at most this many blocks', '12')
  .option('--runs <n>', 'timed runs', '20')
  .option('--threads <n>', "threads inside ONNX Runtime's operators", '1')
  .option(
    '--out <file>',
    'save the costs, beside those of other models there, for --costs of plan, simulate and emulate'
  )
  .option(
    '--providers',
    'also run each block on every execution provider of this machine: what each takes, how far its outputs are from those of cpu, and which a node with --provider auto would choose (docs/providers.md)'
  )
  .option('--provider-options <file>', 'options of execution providers, and how far their outputs may differ, in YAML')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nExit code 0 when it was timed; 2 for wrong use or a model that does not open.\n\nExamples:\n  $ tributary profile rec.onnx --shape x=1x3x48x320\n  $ tributary profile rec.onnx --shape x=1x3x48x320 --out costs.json\n  $ tributary profile rec.onnx --shape x=1x3x48x320 --providers\n'
  )
  .action(async (model: string, flags: ProfileFlags) => {
    const measured = await profile(model, flags)
    process.stdout.write(flags.json === true ? `${JSON.stringify(measured)}\n` : `${describe(measured)}\n`)
  })

const profile = async (model: string, flags: ProfileFlags): Promise<Profile> => {
  const { activationsAt, cutsForCluster } = await import('../model/cut-model.ts')
  const { studyModel } = await import('../model/files/study-model.ts')
  const { profileBlocks } = await import('../runtime/onnx/profile-blocks.ts')
  const { openModel } = await import('../runtime/onnx/open-model.ts')
  const { digestOf, thisMachine, writeCosts } = await import('../studies/saved-costs.ts')
  const runs = parseCount('--runs', flags.runs, 100_000)
  const threads = parseCount('--threads', flags.threads, 256)
  const studied = await studyModel(model, parseShapes(flags.shape), openModel)
  const maxBlocks = parseCount('--blocks', flags.blocks, 4096)
  const cuts = cutsForCluster(studied, maxBlocks)
  await sayLeftOut(studied.leftOut)
  process.stderr.write(`timing ${cuts.length + 1} blocks, ${runs} runs …\n`)
  const { blocks, seconds, activations } = await profileBlocks(studied, cuts, { runs, threads })
  if (flags.out !== undefined) {
    await writeCosts(flags.out, 'out', {
      file: model,
      sha256: await digestOf(model),
      shapes: flags.shape,
      maxBlocks,
      threads,
      runs,
      blocks: blocks.map(block => ({ seconds: block.seconds, bytes: block.bytes })),
      activations: [...activations],
      unencodable: activationsAt(studied, cuts).map(({ tensors }) =>
        tensors.reduce((sum, { name, type }) => sum + (type === 'float32' ? 0 : studied.facts.bytes(name)), 0)
      )
    })
    process.stderr.write(`saved in ${flags.out}\n`)
  }
  const providers = await providersOf(studied, cuts, threads, flags)
  return {
    model,
    machine: thisMachine(),
    threads,
    runs,
    seconds,
    blocks,
    activations,
    ...(providers === undefined ? {} : { providers })
  }
}

const providersOf = async (
  studied: StudiedModel,
  cuts: readonly number[],
  threads: number,
  { providers, providerOptions: file }: ProfileFlags
): Promise<Profile['providers']> => {
  if (file !== undefined && providers !== true)
    throw new UserError(`--provider-options ${file}: is of other providers than cpu; add --providers`)
  if (providers !== true) return undefined
  const { profileProviders } = await import('../runtime/onnx/profile-providers.ts')
  const { readProviderSettings } = await import('../runtime/engine/providers/read-provider-settings.ts')
  const settings = file === undefined ? {} : await readProviderSettings(file)
  process.stderr.write('trying execution providers …\n')
  return profileProviders(studied, cuts, { threads, settings })
}

const describe = (profile: Profile): string => {
  const { model, machine, threads, runs, seconds, blocks, activations, providers } = profile
  return [
    `model    ${model} on ${machine}, ${threads} thread${threads === 1 ? '' : 's'}, ${runs} runs`,
    `chain    ${formatSeconds(seconds)} (median)`,
    '',
    '  block  nodes        bytes     median      least   then crosses',
    ...blocks.map(({ index, nodes, bytes, seconds: median, least }) =>
      [
        `  ${String(index).padStart(5)}`,
        String(nodes).padStart(6),
        formatBytes(bytes).padStart(12),
        formatSeconds(median).padStart(10),
        formatSeconds(least).padStart(10),
        `  ${formatBytes(activations[index + 1] ?? 0)}`
      ].join(' ')
    ),
    ...(providers === undefined ? [] : ['', providerTable(providers)])
  ].join('\n')
}

/** What runs no block for one and the same reason is said once. */
const providerTable = (blocks: readonly (readonly ProviderTrial[])[]): string => {
  const absent = new Map(
    (blocks[0] ?? []).flatMap(({ provider, because }) => {
      const isSaid = blocks.every(trials => trials.some(t => t.time === undefined && t.because === because))
      return isSaid ? [[provider, because] as const] : []
    })
  )
  const right = (title: string) => ({ title, align: 'right' as const })
  const columns = [right('block'), { title: 'provider' }, right('median'), right('difference'), { title: '' }]
  const rows = blocks.flatMap((trials, index) =>
    trials.flatMap(({ provider, time, difference, isChosen, because }) => {
      if (because === absent.get(provider)) return []
      const told = [time === undefined ? '-' : formatSeconds(time), difference?.toExponential(1) ?? '-']
      return [[String(index), provider, ...told, isChosen ? `chosen: ${because}` : because]]
    })
  )
  return [textTable(columns, rows), ...[...absent].map(([name, because]) => `${name}: ${because}`)].join('\n')
}
