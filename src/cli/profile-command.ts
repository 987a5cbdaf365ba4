import { Command } from 'commander'
import { formatBytes, formatSeconds } from '../core/format-quantity.ts'
import { parseShapes } from '../model/parse-shapes.ts'
import { collect } from './collect.ts'
import { parseCount } from './parse-count.ts'
import { sayLeftOut } from './say-left-out.ts'

interface ProfileFlags {
  readonly shape: string[]
  readonly blocks: string
  readonly runs: string
  readonly threads: string
  readonly out?: string
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
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nExit code 0 when it was timed; 2 for wrong use or a model that does not open.\n\nExamples:\n  $ tributary profile rec.onnx --shape x=1x3x48x320\n  $ tributary profile rec.onnx --shape x=1x3x48x320 --out costs.json\n'
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
  return {
    model,
    machine: thisMachine(),
    threads,
    runs,
    seconds,
    blocks,
    activations
  }
}

const describe = ({ model, machine, threads, runs, seconds, blocks, activations }: Profile): string =>
  [
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
    )
  ].join('\n')
