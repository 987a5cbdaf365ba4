import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { formatBytes } from '../core/format-quantity.ts'
import type { Tensor } from '../core/tensor.ts'
import { NoAnswerError, UserError } from '../core/user-error.ts'
import { describeNoneStored, parseWeightChoice, type WeightChoice } from '../core/weight-choice.ts'
import { parseShapes } from '../model/parse-shapes.ts'
import { describeTolerance } from '../model/tolerance.ts'
import { collect } from './collect.ts'
import { makeFolder } from './make-folder.ts'
import { parseCount } from './parse-count.ts'
import { sayLeftOut } from './say-left-out.ts'

interface CutFlags {
  readonly parts?: string
  readonly at?: string
  readonly out: string
  readonly shape: string[]
  readonly weights?: string
  readonly verify?: boolean
  readonly inputs: string[]
  readonly threads: string
  readonly json?: boolean
}

export const command = new Command('cut')
  .summary('write the blocks of a model as .onnx files')
  .description(
    'Cut a model into blocks, each a complete ONNX model that any ONNX Runtime opens; run in order they compute the same.'
  )
  .argument('<model>', 'an ONNX file')
  .requiredOption('--out <dir>', 'folder for part-0.onnx, part-1.onnx, …')
  .option('--parts <n>', 'this many parts of even work, cut where little crosses')
  .option('--at <points>', 'cut at these cut points, as numbered by inspect: 3,7 cuts before blocks 3 and 7')
  .option('--shape <input=dims>', 'fix dynamic dimensions, like x=1x3x48x320 (or x=scalar), repeatable', collect, [])
  .option(
    '--weights <format>',
    'store weights in fewer bits: fp16 or int8, of some parts alone: int8@0-2,5; --verify says what that costs in accuracy, and refuses nothing then (docs/providers.md)'
  )
  .option('--verify', 'compare the chain of blocks with the whole model, and time both')
  .option(
    '--inputs <file.npy>',
    'compare on real data: FILE.npy, or INPUT=FILE.npy for each input; repeatable',
    collect,
    []
  )
  .option('--threads <n>', 'threads for --verify', '1')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    '\nExample:\n  $ tributary cut rec.onnx --shape x=1x3x48x320 --parts 4 --out parts --verify\n  $ tributary cut rec.onnx --shape x=1x3x48x320 --parts 4 --out small --weights fp16 --verify\n'
  )
  .action(async (model: string, flags: CutFlags) => {
    const { studyModel } = await import('../model/files/study-model.ts')
    const { writeBlocks } = await import('../model/files/write-blocks.ts')
    const { openModel } = await import('../runtime/onnx/open-model.ts')
    const { readVerifyInputs } = await import('./read-verify-inputs.ts')
    const threads = parseCount('--threads', flags.threads, 256)
    if (flags.inputs.length > 0 && flags.verify !== true)
      throw new UserError(`--inputs ${flags.inputs[0]}: data is read to compare on; add --verify`)
    const studied = await enoughCutPoints(await studyModel(model, parseShapes(flags.shape), openModel), flags)
    for (const note of studied.analysis.file.notes ?? []) process.stderr.write(`${model}: ${note}\n`)
    const inputs = await readVerifyInputs(studied.analysis.file, flags.inputs)
    const cuts = await chosenCuts(studied, flags)
    await sayLeftOut(studied.leftOut)
    const weights = weightsOf(flags)
    const files = await openFolder(flags.out, cuts.length + 1)
    const write = (index: number, chunks: AsyncIterable<Uint8Array>) => writeWhole(files[index]!, chunks)
    // As the model has them, the same on every machine: what a device serves may be open for several data instead.
    const parts = await writeBlocks(studied, cuts, write, undefined, weights)
    await removeStale(flags.out, files)
    const named = parts.map(({ sha256, bytes, nodes, weights: stored }, i) => ({
      ...{ file: files[i]!, sha256, bytes, nodes },
      ...(stored === undefined ? {} : { weights: stored })
    }))
    if (weights !== undefined && named.every(part => part.weights === undefined))
      process.stderr.write(`${model}: ${describeNoneStored(weights)}\n`)
    const verify = flags.verify === true ? await verified(studied, cuts, files, { threads, inputs }) : undefined
    const differences =
      weights === undefined || verify === undefined ? undefined : await costsOf(studied, cuts, files, inputs)
    if (flags.json === true)
      process.stdout.write(
        `${JSON.stringify({ parts: named, leftOut: studied.leftOut, ...(verify === undefined ? {} : { verify: finite(verify) }), ...(differences === undefined ? {} : { differences }) })}\n`
      )
    else {
      for (const part of named)
        process.stdout.write(
          `${part.file}  ${formatBytes(part.bytes)}  ${part.nodes} nodes  sha256 ${part.sha256}${part.weights === undefined ? '' : `  ${part.weights}`}\n`
        )
      for (const [i, difference] of (differences ?? []).entries())
        process.stdout.write(`part ${i}: differs by ${difference.toExponential(1)} of its largest output alone\n`)
      if (verify !== undefined) process.stdout.write(`${describe(verify, weights === undefined)}\n`)
    }
    if (weights === undefined) refuseMismatch(verify)
    if (flags.verify === true && verify === undefined) throw new NoAnswerError('--verify: nothing could be compared')
  })

type Studied = import('../model/cut-model.ts').StudiedModel
type Verified = import('../model/files/verify-chain.ts').Verification

const weightsOf = ({ weights }: CutFlags): WeightChoice | undefined => {
  if (weights === undefined) return undefined
  try {
    return parseWeightChoice(weights)
  } catch (error) {
    throw new UserError(`--weights ${(error as Error).message}`)
  }
}

/** Of each part. */
const costsOf = async (
  model: Studied,
  cuts: readonly number[],
  small: readonly string[],
  given: readonly (readonly Tensor[])[] | undefined
): Promise<readonly number[]> => {
  const { openModel } = await import('../runtime/onnx/open-model.ts')
  const { weightCosts } = await import('../model/files/weight-costs.ts')
  const { writeBlocks } = await import('../model/files/write-blocks.ts')
  const folder = await mkdtemp(join(tmpdir(), 'tributary-plain-'))
  try {
    const plain = small.map((_, i) => join(folder, `${i}.onnx`))
    await writeBlocks(model, cuts, (index, chunks) => writeWhole(plain[index]!, chunks))
    return await weightCosts(model, cuts, { plain, small }, openModel, given ?? [await madeUpInputs(model)])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const madeUpInputs = async ({ analysis, facts }: Studied): Promise<readonly Tensor[]> => {
  const { feedsFor } = await import('../model/tensor-facts.ts')
  const ports = analysis.inputs.map(name => {
    const { type = '', shape = [] } = facts.of(name)
    return { name, isTensor: true, type, shape }
  })
  return feedsFor(ports, facts.inputShapes, 'weights')!
}

/** More parts than there are good places: bad ones are better than none. */
const enoughCutPoints = async (model: Studied, { parts }: CutFlags): Promise<Studied> => {
  if (parts === undefined || parseCount('--parts', parts, 9999) - 1 <= model.cutPoints.length) return model
  const { withAllCutPoints } = await import('../model/cut-model.ts')
  process.stderr.write('so many parts need cuts inside what ONNX Runtime merges: the chain will be slower\n')
  return withAllCutPoints(model)
}

const chosenCuts = async (model: Studied, { parts, at }: CutFlags): Promise<readonly number[]> => {
  if ((parts === undefined) === (at === undefined))
    throw new UserError('say how to cut: either --parts N or --at I,J,…')
  if (parts !== undefined) {
    const { cutsForParts } = await import('../model/cut-model.ts')
    return cutsForParts(model, parseCount('--parts', parts, 9999))
  }
  const cuts = at!.split(',').map(text => {
    const point = /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN
    if (point >= 1 && point <= model.cutPoints.length) return point - 1
    throw new UserError(`--at ${at}: "${text}" is not a cut point; inspect numbers them 1 to ${model.cutPoints.length}`)
  })
  return [...new Set(cuts)].sort((a, b) => a - b)
}

const openFolder = async (folder: string, parts: number): Promise<string[]> => {
  try {
    await makeFolder(folder)
  } catch (error) {
    throw new UserError(`--out ${folder}: ${(error as Error).message}; name a folder that can be written`)
  }
  const digits = String(parts - 1).length
  return Array.from({ length: parts }, (_, i) => join(folder, `part-${String(i).padStart(digits, '0')}.onnx`))
}

/** Parts of an earlier cut that this one does not have: who runs all that is there must not run them too. */
const removeStale = async (folder: string, files: readonly string[]): Promise<void> => {
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    if (/^part-\d+\.onnx$/.test(name) && !files.includes(file)) await rm(file, { force: true })
  }
}

/** Under another name until it is whole. */
const writeWhole = async (file: string, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
  try {
    await pipeline(Readable.from(chunks), createWriteStream(`${file}.part`))
    await rename(`${file}.part`, file)
  } catch (error) {
    await rm(`${file}.part`, { force: true })
    if (error instanceof UserError) throw error
    throw new UserError(`cannot write ${file}: ${(error as Error).message}`)
  }
}

/** Undefined, with the reason on stderr, when the model cannot be run here. */
const verified = async (
  model: Studied,
  cuts: readonly number[],
  files: readonly string[],
  options: { readonly threads: number; readonly inputs: readonly (readonly Tensor[])[] | undefined }
): Promise<Verified | undefined> => {
  const { verifyChain } = await import('../model/files/verify-chain.ts')
  const { openModel } = await import('../runtime/onnx/open-model.ts')
  const { systemClock } = await import('../runtime/system-clock.ts')
  const { untravellingEnds } = await import('../model/cut-model.ts')
  const ends = untravellingEnds(model)
  if (ends.length > 0) {
    process.stderr.write(`"${ends.join('", "')}" cannot be fed or read here\n`)
    return undefined
  }
  process.stderr.write(`comparing ${files.length} parts with the whole …\n`)
  try {
    const { threads, inputs } = options
    const now = () => systemClock.now()
    return await verifyChain(model, cuts, files, openModel, {
      now,
      threads,
      ...(inputs === undefined ? {} : { inputs })
    })
  } catch (error) {
    const what = options.inputs === undefined ? 'made-up input; give some with --inputs' : 'these inputs'
    process.stderr.write(`the model does not run on ${what}: ${(error as Error).message}\n`)
    return undefined
  }
}

/** Outputs of another shape differ infinitely, which JSON cannot say. */
const finite = (verify: Verified): Verified => ({
  ...verify,
  maxAbsDiff: Math.min(verify.maxAbsDiff, Number.MAX_VALUE),
  maxRelDiff: Math.min(verify.maxRelDiff, Number.MAX_VALUE),
  outputs: verify.outputs.map(o => ({ ...o, difference: Math.min(o.difference, Number.MAX_VALUE) }))
})

const describe = (verify: Verified, isJudged: boolean): string => {
  const { maxAbsDiff, maxRelDiff, outputs, ratio, wholeMs, chainMs } = verify
  const tolerances = new Map(outputs.map(({ tolerance }) => [tolerance.kind, tolerance]))
  const allowed = [...tolerances.values()].map(tolerance => `allowed: ${describeTolerance(tolerance)}`)
  return [
    `largest difference ${maxAbsDiff} (${maxRelDiff} of the largest output)`,
    ...(isJudged ? allowed : []),
    `chain ${chainMs.toFixed(2)} ms, whole ${wholeMs.toFixed(2)} ms: ratio ${ratio.toFixed(3)}`
  ].join('\n')
}

const refuseMismatch = (verify: Verified | undefined): void => {
  const wrong = verify?.outputs.filter(output => !output.ok) ?? []
  const [first] = wrong
  if (first === undefined) return
  const { name, difference, magnitude, tolerance } = first
  const more = wrong.length === 1 ? '' : `, and ${wrong.length - 1} more outputs differ`
  throw new NoAnswerError(
    `output "${name}" of the chain differs from the whole by ${difference} (its largest value is ${magnitude}); allowed: ${describeTolerance(tolerance)}${more}`
  )
}
