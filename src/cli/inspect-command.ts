import { Command } from 'commander'
import { formatBytes } from '../core/format-quantity.ts'
import type { LeftOut } from '../model/left-out.ts'
import { parseShapes } from '../model/parse-shapes.ts'
import { collect } from './collect.ts'
import { sayLeftOut } from './say-left-out.ts'

interface InspectFlags {
  readonly shape: string[]
  readonly parts?: string
  readonly json?: boolean
}

/** What `inspect --json` prints. */
interface Inspection {
  readonly model: string
  readonly sha256: string
  readonly opset: number
  readonly nodes: number
  readonly blocks: readonly {
    index: number
    nodes: number
    weightBytes: number
    computedBytes: number
    flops: number
  }[]
  readonly activations: readonly {
    index: number
    bytes: number
    tensors: readonly { name: string; type: string; shape: readonly (number | string | null)[] }[]
  }[]
  /** Inputs and outputs that are no tensors, and so in no block. */
  readonly leftOut: readonly LeftOut[]
}

export const command = new Command('inspect')
  .summary('blocks, cut points, activation bytes, weights, FLOPs')
  .description(
    'Show where a model can be cut: its blocks, and between them the cut points with all tensors that cross there. Activation 0 is the input, the last one the output; cut point i is where activation i crosses.'
  )
  .argument('<model>', 'an ONNX file')
  .option('--shape <input=dims>', 'fix dynamic dimensions, like x=1x3x48x320 (or x=scalar), repeatable', collect, [])
  .option('--parts <n>', 'show the blocks of a cut into so many parts of even work instead of all cut points')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary inspect rec.onnx --shape x=1x3x48x320\n')
  .action(async (model: string, flags: InspectFlags) => {
    const inspection = await inspect(model, flags)
    await sayLeftOut(inspection.leftOut)
    process.stdout.write(flags.json === true ? `${JSON.stringify(inspection)}\n` : `${describe(inspection)}\n`)
  })

const inspect = async (model: string, flags: InspectFlags): Promise<Inspection> => {
  const { activationsAt, blockFacts, cutsForParts } = await import('../model/cut-model.ts')
  const { studyModel } = await import('../model/files/study-model.ts')
  const { openModel } = await import('../runtime/onnx/open-model.ts')
  const { parseCount } = await import('./parse-count.ts')
  const studied = await studyModel(model, parseShapes(flags.shape), openModel)
  const cuts =
    flags.parts === undefined
      ? studied.cutPoints.map((_, i) => i)
      : cutsForParts(studied, parseCount('--parts', flags.parts, 9999))
  const { file } = studied.analysis
  for (const note of file.notes ?? []) process.stderr.write(`${model}: ${note}\n`)
  const unknown = studied.cutPoints.flatMap(c => c.tensors).filter(name => studied.facts.of(name).dims === undefined)
  if (unknown.length > 0) {
    process.stderr.write(
      `sizes of ${new Set(unknown).size} tensors are not known, they count as 0 bytes: the model does not run on made-up input\n`
    )
  }
  return {
    model,
    sha256: file.sha256,
    opset: file.opset,
    nodes: file.graph.node.length,
    blocks: blockFacts(studied, cuts).map((facts, index) => ({ index, ...facts })),
    activations: activationsAt(studied, cuts).map(({ bytes, tensors }, index) => ({
      index,
      bytes,
      tensors: tensors.map(tensor => ({ ...tensor, type: studied.facts.of(tensor.name).kind }))
    })),
    leftOut: studied.leftOut
  }
}

const describe = ({ model, opset, nodes, blocks, activations }: Inspection): string => {
  const weights = blocks.reduce((sum, block) => sum + block.weightBytes, 0)
  const computed = blocks.reduce((sum, block) => sum + block.computedBytes, 0)
  const flops = blocks.reduce((sum, block) => sum + block.flops, 0)
  const lines = [
    `model    ${model}, opset ${opset}, ${nodes} nodes`,
    `blocks   ${blocks.length}, ${blocks.length - 1} cut points; weights ${formatBytes(weights)}${computed === 0 ? '' : ` and ${formatBytes(computed)} computed when they are loaded`}, ${giga(flops)} per datum`,
    '',
    '  block  nodes      weights      FLOPs   then crosses'
  ]
  lines.push(`  ${'input'.padEnd(46)}${crossing(activations[0])}`)
  for (const block of blocks) {
    const row = [
      String(block.index).padStart(5),
      String(block.nodes).padStart(6),
      formatBytes(block.weightBytes + block.computedBytes).padStart(12),
      giga(block.flops).padStart(12)
    ]
    lines.push(`  ${row.join(' ')}   ${crossing(activations[block.index + 1])}`)
  }
  return lines.join('\n')
}

const crossing = (activation: Inspection['activations'][number] | undefined): string => {
  if (activation === undefined) return ''
  const { bytes, tensors } = activation
  const first = tensors[0]
  const name = first === undefined ? 'nothing' : `${first.name} ${first.type}[${first.shape.join(',')}]`
  return `${formatBytes(bytes)}  ${name}${tensors.length > 1 ? ` and ${tensors.length - 1} more` : ''}`
}

const giga = (flops: number): string =>
  flops >= 1e9 ? `${(flops / 1e9).toFixed(2)} GFLOP` : `${(flops / 1e6).toFixed(2)} MFLOP`
