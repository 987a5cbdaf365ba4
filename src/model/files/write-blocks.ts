import { createHash } from 'node:crypto'
import { GraphProtoSchema, type ModelProto, ModelProtoSchema } from 'onnx-buf'
import { type BlockHash, blockHash } from '../../core/ids.ts'
import { type Bytes, bytes } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { describeWeightChoice, type WeightChoice, type WeightFormat, weightFormatOf } from '../../core/weight-choice.ts'
import { batchedBlock } from '../batched-block.ts'
import { computedBytes, type StudiedModel } from '../cut-model.ts'
import { type Block, makeBlocks } from '../make-blocks.ts'
import { messageWith } from '../message-with.ts'
import { smallWeights } from '../small-weights.ts'
import { internal, onnxChunks } from './onnx-chunks.ts'

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
  /** Several data may be run at once, one behind the other along the first dimension of all that goes in and comes out. */
  readonly batches: boolean
  /** How its weights are stored; absent: as the model has them, also where no weight of it could be stored otherwise. */
  readonly weights?: WeightFormat
}

/** Where a block's bytes go. `hash` is known only when all have been written. */
export type WriteBlock = (index: number, chunks: AsyncIterable<Uint8Array>) => Promise<void>

/** Open for several data: `other` has been written besides, `same` the block itself is. */
export type OtherForm = 'other' | 'same'

/** Whether blocks may be fed several data at once is tried when they have been written, in their order. */
export interface BlockTrial {
  /** Of the other form of a block, where it has one. */
  readonly write: WriteBlock
  /** Whether it may; the other form, if it has one, is to take the block's place then. Asked of each block, also where it has no form for it. */
  readonly holds: (index: number, form: OtherForm | undefined) => Promise<boolean>
}

/**
 * Write the blocks between the given cut points. The same model and cut points give the same bytes on every machine, where nothing
 * is tried. With a trial, a block that has another form is that form where it holds, and machines round differently: where
 * the difference is just at its limit, one machine may write the block itself and another its other form.
 * @param cuts ascending indices into `model.cutPoints`
 * @param weights how they are stored; default: as the model has them
 * @throws UserError where `weights` names a block that there is not
 * @param trial default: no block is said to take several data at once, and each is as the model has it
 */
export const writeBlocks = async (
  model: StudiedModel,
  cuts: readonly number[],
  write: WriteBlock,
  trial?: BlockTrial,
  weights?: WeightChoice
): Promise<readonly WrittenBlock[]> => {
  const { analysis, facts, costs } = model
  const positions = cuts.map(c => model.cutPoints[c]!.position)
  const bounds = [0, ...positions, analysis.layers.length]
  refuseBeyond(weights, bounds.length - 1)
  const written: WrittenBlock[] = []
  for (const [index, made] of makeBlocks(analysis, facts, positions).entries()) {
    const format = weightFormatOf(weights, index)
    const block = format === undefined ? made : await withSmallWeights(made, format, analysis.file.path)
    const put = async (what: ModelProto, to: WriteBlock): Promise<MeterResult> => {
      const meter = new Meter()
      await to(index, meter.through(onnxChunks(what, analysis.file.path)))
      return meter.result()
    }
    const plain = await put(block.model, write)
    const open = trial === undefined ? undefined : batchedBlock(block, facts)
    const form = open === undefined ? undefined : open === block.model ? 'same' : 'other'
    const other = form === 'other' ? await put(open!, trial!.write) : plain
    const batches = (await trial?.holds(index, form)) === true
    const flops = costs.slice(bounds[index], bounds[index + 1]).reduce((sum, cost) => sum + cost.flops, 0)
    const { inputs, outputs } = block
    const { sha256, bytes: fileBytes } = batches ? other : plain
    const loadedBytes = bytes(fileBytes + computedBytes(block, facts))
    written.push({
      sha256,
      bytes: fileBytes,
      loadedBytes,
      nodes: block.model.graph!.node.length,
      flops,
      inputs,
      outputs,
      batches,
      ...(block === made ? {} : { weights: format! })
    })
  }
  return written
}

const withSmallWeights = async (block: Block, format: WeightFormat, origin: string): Promise<Block> => {
  const graph = block.model.graph!
  const initializer = await Promise.all(graph.initializer.map(tensor => internal(tensor, origin)))
  const here = messageWith(ModelProtoSchema, block.model, {
    graph: messageWith(GraphProtoSchema, graph, { initializer })
  })
  const model = smallWeights(here, format)
  return model === here ? block : { ...block, model }
}

const refuseBeyond = (weights: WeightChoice | undefined, blocks: number): void => {
  const beyond = weights?.blocks?.find(block => block >= blocks)
  if (beyond !== undefined)
    throw new UserError(
      `weights ${describeWeightChoice(weights!)}: there is no block ${beyond}, the last is ${blocks - 1}`
    )
}

interface MeterResult {
  readonly sha256: BlockHash
  readonly bytes: Bytes
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

  result(): MeterResult {
    return { sha256: blockHash(this.#hash.digest('hex')), bytes: bytes(this.#bytes) }
  }
}
