/**
 * Weights in fewer bits, on the demo's recogniser and text lines: what the file, the memory and a run take, and what is read otherwise.
 * `node dist/bench/weights.js [--json]` after `npm run build`. Each format in a process of its own, for its memory.
 */
import { spawnSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { findImages } from '../src/cli/demo/demo-images.ts'
import { ocrModelPath } from '../src/cli/demo/ocr-model-path.ts'
import { plainAnswers } from '../src/cli/demo/plain-answers.ts'
import { renderImages } from '../src/cli/demo/render-images.ts'
import { WEIGHT_FORMATS, type WeightFormat } from '../src/core/weight-choice.ts'
import { studyModel } from '../src/model/files/study-model.ts'
import { writeBlocks } from '../src/model/files/write-blocks.ts'
import { openModel } from '../src/runtime/onnx/open-model.ts'

const SOURCES = ['porch', 'door']
const IMAGES = 50

interface Read {
  readonly texts: readonly string[]
  readonly right: number
  readonly residentBytes: number
  readonly seconds: number
}

const silent = { say: () => {}, begin: () => {}, source: () => {}, device: () => {}, end: () => {} }

/** In the process of one format. */
const readAll = async (modelFile: string, folder: string): Promise<Read> => {
  const images = await findImages(folder, SOURCES, folder)
  const before = process.memoryUsage.rss()
  const start = performance.now()
  const { texts } = await plainAnswers({ modelFile, images, signal: new AbortController().signal, view: silent })
  const seconds = (performance.now() - start) / 1000
  const read = images.flatMap(({ source, items, truth }) =>
    items.map(item => ({ text: texts.get(source)!.get(item) ?? '', truth: truth.get(item) }))
  )
  const right = read.filter(({ text, truth }) => text === truth).length
  return { texts: read.map(({ text }) => text), right, residentBytes: process.memoryUsage.rss() - before, seconds }
}

const measureAll = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-weights-'))
  try {
    await renderImages(folder, { sources: SOURCES, imagesPerSource: IMAGES, seed: 'weights' })
    const studied = await studyModel(ocrModelPath(), new Map([['x', [1, 3, 48, 320]]]), openModel)
    const rows: (Read & { readonly format: string; readonly fileBytes: number; readonly loadedBytes: number })[] = []
    for (const format of ['fp32', ...WEIGHT_FORMATS]) {
      const file = join(folder, `${format}.onnx`)
      const weights = format === 'fp32' ? undefined : { format: format as WeightFormat }
      const put = (_: number, chunks: AsyncIterable<Uint8Array>) =>
        pipeline(Readable.from(chunks), createWriteStream(file))
      const [block] = await writeBlocks(studied, [], put, undefined, weights)
      const ran = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--read', file, folder])
      if (ran.status !== 0) throw new Error(String(ran.stderr))
      const read = JSON.parse(String(ran.stdout)) as Read
      rows.push({ ...read, format, fileBytes: (await stat(file)).size, loadedBytes: block!.loadedBytes })
    }
    const exact = rows[0]!.texts
    const table = rows.map(({ texts, ...row }) => ({
      ...row,
      otherwise: texts.filter((t, i) => t !== exact[i]).length
    }))
    if (process.argv.includes('--json')) return void process.stdout.write(`${JSON.stringify(table)}\n`)
    process.stdout.write(`${SOURCES.length * IMAGES} text lines of the demo, PP-OCRv4 in one block, one thread\n`)
    for (const row of table)
      process.stdout.write(
        `${row.format}  file ${mib(row.fileBytes)}, counts as ${mib(row.loadedBytes)}, process grows by ${mib(row.residentBytes)}; ${row.seconds.toFixed(1)} s; ${row.right} read right, ${row.otherwise} otherwise than fp32\n`
      )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

const [, , word, file, folder] = process.argv
if (word === '--read') process.stdout.write(JSON.stringify(await readAll(file!, folder!)))
else await measureAll()
