import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { NoAnswerError } from '../../core/user-error.ts'
import { activationsAt, type StudiedModel } from '../../model/cut-model.ts'
import { writeBlocks } from '../../model/files/write-blocks.ts'
import { runChain } from '../../model/run-chain.ts'
import { feedsFor } from '../../model/tensor-facts.ts'
import { systemClock } from '../system-clock.ts'
import { openModel } from './open-model.ts'

export interface BlockTime {
  readonly index: number
  readonly nodes: number
  readonly bytes: number
  /** In memory once it is loaded. */
  readonly loadedBytes: number
  readonly flops: number
  /** Median, in seconds. */
  readonly seconds: number
  readonly least: number
}

const WARM_UP = 3

/** Run the chain of blocks on seeded input, over and over, and time each block in it. */
export const profileBlocks = async (
  model: StudiedModel,
  cuts: readonly number[],
  { runs, threads }: { readonly runs: number; readonly threads: number }
) => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-profile-'))
  try {
    const file = (index: number): string => join(folder, `${index}.onnx`)
    const written = await writeBlocks(model, cuts, (index, chunks) =>
      pipeline(Readable.from(chunks), createWriteStream(file(index)))
    )
    const opened = await Promise.all(written.map((_, index) => openModel(file(index), { threads })))
    const times: number[][] = written.map(() => [])
    const timed = opened.map((block, index) => ({
      ...block,
      run: async (...feeds: Parameters<typeof block.run>) => {
        const start = systemClock.now()
        const outputs = await block.run(...feeds)
        times[index]!.push(systemClock.now() - start)
        return outputs
      }
    }))
    const activations = activationsAt(model, cuts)
    const feeds = feedsFor([...inputsOf(model)], model.facts.inputShapes)
    if (feeds === undefined)
      throw new NoAnswerError('some input of the model is no tensor: it cannot be timed on made-up data')
    const keep = activations.slice(1).map(({ tensors }) => tensors.map(tensor => tensor.name))
    for (let run = -WARM_UP; run < runs; run++) {
      if (run === 0) for (const list of times) list.length = 0
      await runChain(timed, keep, feeds).catch(error => {
        throw new NoAnswerError(`the model does not run on made-up input: ${(error as Error).message}`)
      })
    }
    await Promise.all(opened.map(block => block.close()))
    const blocks = written.map(({ nodes, bytes, loadedBytes, flops }, index): BlockTime => {
      const sorted = times[index]!.toSorted((a, b) => a - b)
      return {
        index,
        nodes,
        bytes,
        loadedBytes,
        flops,
        seconds: sorted[Math.floor(sorted.length / 2)]!,
        least: sorted[0]!
      }
    })
    return {
      blocks,
      seconds: blocks.reduce((sum, b) => sum + b.seconds, 0),
      activations: activations.map(a => a.bytes as number)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const inputsOf = ({ analysis, facts }: StudiedModel) =>
  analysis.inputs.map(name => ({
    name,
    isTensor: true,
    type: facts.of(name).type ?? '',
    shape: facts.of(name).shape ?? []
  }))
