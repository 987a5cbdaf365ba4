import { createHash } from 'node:crypto'
import { type BlockHash, blockHash } from '../../core/ids.ts'
import { type Bytes, bytes } from '../../core/units.ts'
import { computedBytes, type StudiedModel } from '../cut-model.ts'
import { makeBlocks } from '../make-blocks.ts'
import { onnxChunks } from './onnx-chunks.ts'

export interface WrittenBlock {
  readonly sha256: BlockHash
  /** Of the .onnx bytes. */
  readonly bytes: Bytes
  /** In memory once it is loaded: its file, and the constants that are computed then. */
  readonly loadedBytes: Bytes
  /** In its graph: its layers, the constants that it needs, and what lets images in. */
  readonly nodes: number
  readonly flops: number
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Where a block's bytes go. `hash` is known only when all have been written. */
export type WriteBlock = (index: number, chunks: AsyncIterable<Uint8Array>) => Promise<void>

/**
 * Write the blocks between the given cut points. The same model and cut points give the same bytes on every machine.
 * @param cuts ascending indices into `model.cutPoints`
 */
export const writeBlocks = async (
  model: StudiedModel,
  cuts: readonly number[],
  write: WriteBlock
): Promise<readonly WrittenBlock[]> => {
  const { analysis, facts, costs } = model
  const positions = cuts.map(c => model.cutPoints[c]!.position)
  const bounds = [0, ...positions, analysis.layers.length]
  const written: WrittenBlock[] = []
  for (const [index, block] of makeBlocks(analysis, facts, positions).entries()) {
    const meter = new Meter()
    await write(index, meter.through(onnxChunks(block.model, analysis.file.path)))
    const flops = costs.slice(bounds[index], bounds[index + 1]).reduce((sum, cost) => sum + cost.flops, 0)
    const { inputs, outputs } = block
    const { sha256, bytes: fileBytes } = meter.result()
    const loadedBytes = bytes(fileBytes + computedBytes(block, facts))
    written.push({
      sha256,
      bytes: fileBytes,
      loadedBytes,
      nodes: block.model.graph!.node.length,
      flops,
      inputs,
      outputs
    })
  }
  return written
}

/** Counts and hashes what passes through. */
class Meter {
  readonly #hash = createHash('sha256')
  #bytes = 0

  async *through(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk)
      this.#bytes += chunk.byteLength
      yield chunk
    }
  }

  result(): { readonly sha256: BlockHash; readonly bytes: Bytes } {
    return { sha256: blockHash(this.#hash.digest('hex')), bytes: bytes(this.#bytes) }
  }
}
