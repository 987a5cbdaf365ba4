import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { expectLivelyModel } from '../../testing/lively-model.ts'
import { readOnnxFile } from '../files/read-onnx-file.ts'
import { writeZooModel } from '../files/write-zoo-model.ts'
import { ZOO, zooGraph } from './zoo.ts'

/**
 * Published sizes: parameters, and millions of multiply-adds where a source gives them. ResNet-56: He et al., table 6,
 * and the count of its shapes; GPT-2 and BERT-tiny: the released checkpoints; the others: torchvision's documentation,
 * Inception-v3 less its auxiliary head (27,161,264 - 3,326,696).
 */
const PUBLISHED: Readonly<Record<string, { readonly parameters: number; readonly megaMacs?: number }>> = {
  resnet56: { parameters: 853_018, megaMacs: 125.5 },
  resnet50: { parameters: 25_557_032, megaMacs: 4089 },
  mobilenetv2: { parameters: 3_504_872, megaMacs: 301 },
  vgg16: { parameters: 138_357_544, megaMacs: 15_470 },
  inception: { parameters: 23_834_568, megaMacs: 5713 },
  densenet121: { parameters: 7_978_856, megaMacs: 2834 },
  'gpt2-small-shaped': { parameters: 124_439_808 },
  'bert-tiny': { parameters: 4_385_920 }
}

describe('the zoo has the shapes that were published', () => {
  it('of every model', () => {
    expect(Object.keys(ZOO).sort()).toEqual(Object.keys(PUBLISHED).sort())
  })

  it.each(Object.entries(PUBLISHED))('%s', (name, { parameters, megaMacs }) => {
    const graph = zooGraph(name)
    expect(graph.parameters).toBe(parameters)
    if (megaMacs !== undefined) expect(Math.abs(graph.macs / 1e6 / megaMacs - 1)).toBeLessThan(0.01)
  })
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-zoo-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Those that take many seconds run in `test:long`. */
const SLOW = ['vgg16', 'gpt2-small-shaped']

describe('every model runs', () => {
  it.each(Object.keys(ZOO).filter(name => !SLOW.includes(name)))('%s: finite results that depend on the input', name =>
    expectLivelyModel(name, folder)
  )
})

describe('writing', () => {
  const sha256 = async (name: string, seed: number): Promise<string> => {
    const file = join(folder, `${name}-${seed}.onnx`)
    const written = await writeZooModel(zooGraph(name), file, { seed })
    expect(written.bytes).toBe((await readFile(file)).length)
    expect(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex')
    ).toBe(written.sha256)
    return written.sha256
  }

  it('gives the same bytes for the same seed, on every machine, and others for another', async () => {
    const first = await sha256('resnet56', 1)
    expect(first).toBe('54881fbcc8232cf42be46ca472e561c5032162d1ea9dc8b1e098d7c8f3dbc18b')
    expect(await sha256('resnet56', 1)).toBe(first)
    expect(await sha256('resnet56', 2)).not.toBe(first)
  })

  it('makes no two weights alike, and each within its range', async () => {
    const file = join(folder, 'weights.onnx')
    const { weights } = zooGraph('resnet56')
    await writeZooModel(zooGraph('resnet56'), file, { seed: 1 })
    const { graph } = await readOnnxFile(file)
    expect(graph.initializer.map(t => t.name)).toEqual(weights.map(w => w.name))
    const starts = new Set<number>()
    for (const [i, tensor] of graph.initializer.entries()) {
      const values = new Float32Array(Uint8Array.from(tensor.rawData).buffer)
      const { low, high } = weights[i]!
      expect(values.every(v => v >= Math.fround(low) && v <= Math.fround(high))).toBe(true)
      starts.add((values[0]! - low) / (high - low))
    }
    expect(starts.size).toBe(weights.length)
  })

  it('replaces a file, and leaves nothing beside it', async () => {
    const into = await mkdtemp(join(folder, 'out-'))
    const file = join(into, 'model.onnx')
    await writeFile(file, 'before')
    await writeZooModel(zooGraph('resnet56'), file, { seed: 1 })
    expect((await readOnnxFile(file)).opset).toBe(17)
    expect(await readdir(into)).toEqual(['model.onnx'])
  })

  it.skipIf(process.platform === 'win32')('writes into a pipe instead of replacing it', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const hash = createHash('sha256')
    const [{ sha256: written }] = await Promise.all([
      writeZooModel(zooGraph('resnet56'), pipe, { seed: 1 }),
      pipeline(createReadStream(pipe), hash)
    ])
    expect(hash.digest('hex')).toBe(written)
    expect((await stat(pipe)).isFIFO()).toBe(true)
  })

  it('says what is wrong with the place', async () => {
    const write = (file: string): Promise<unknown> => writeZooModel(zooGraph('resnet56'), file, { seed: 1 })
    await expect(write(join(folder, 'none', 'x.onnx'))).rejects.toThrow(/^out .*folder does not exist/)
    const into = await mkdtemp(join(folder, 'taken-'))
    await expect(write(into)).rejects.toThrow(/this is a folder/)
    await writeFile(join(into, 'file'), '')
    await expect(write(join(into, 'file', 'x.onnx'))).rejects.toThrow(UserError)
    expect(await readdir(into)).toEqual(['file'])
    expect((await readdir(folder)).filter(name => name.endsWith('.partial'))).toEqual([])
  })
})

describe('what it refuses', () => {
  it.each([
    ['resnet5', undefined, /did you mean resnet56\?/],
    ['toString', undefined, /no model "toString"/],
    ['vgg16', 8, /sequence 8: vgg16 reads an image/],
    ['bert-tiny', 513, /sequence 513: .* from 1 to 512/],
    ['bert-tiny', 0, /sequence 0/],
    ['gpt2-small-shaped', 1.5, /sequence 1.5/]
  ])('%s with sequence %s', (name, sequence, message) => {
    expect(() => zooGraph(name, sequence)).toThrow(message)
    expect(() => zooGraph(name, sequence)).toThrow(UserError)
  })
})
