import { z } from 'zod'
import { checkedOptions } from '../../core/checked-options.ts'
import { blockHash } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { bytes, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { manifestId } from '../../runtime/cluster/manifest-codec.ts'
import { hashOf } from '../../runtime/hash/hash-of.ts'
import { portableHash } from '../../runtime/hash/portable-hash.ts'

/** A block that can be computed in a head: a tag passes through, numbers are made into others. It is its own file, as JSON. */
export interface ToyBlock {
  readonly model: string
  readonly block: number
  /** y = (a x + b) mod P, element by element. */
  readonly a: number
  readonly b: number
  /** Names of what it reads and makes. */
  readonly reads: readonly string[]
  readonly makes: readonly string[]
  readonly length: number
  /** Seconds of one run at speed 1. */
  readonly work: number
  /** What it takes of a device's memory. */
  readonly weight: number
  /** An early exit: data whose tag this divides are done after it, and what it makes of them is the model's output. */
  readonly exit?: { readonly every: number; readonly makes: string }
}

/** What a toy model is like: a number of seconds and of bytes for each block. */
export interface ToyModelOptions {
  readonly name: string
  /** Makes its numbers other than those of a model of the same shape. */
  readonly salt: number
  readonly work: readonly number[]
  readonly weights: readonly number[]
  /** Elements of an activation. */
  readonly length: number
  /** What the first block makes is read by the last one too, past those between. */
  readonly skips: boolean
  /** The first block runs at the source and nowhere else. */
  readonly isPinned?: boolean
  /** Its blocks take several data at once, but for one that data may leave after. */
  readonly batches?: boolean
  /** Every so manieth datum leaves the model after that block: an early exit. */
  readonly exit?: { readonly after: number; readonly every: number }
}

const P = 32_749
const INT32 = 4
/** The first element: which datum of its source it is. */
const TAG = 1

/** A model that was cut, and its blocks as they are stored. */
export interface ToyModel {
  readonly manifest: ModelManifest
  readonly files: readonly Uint8Array[]
  readonly blocks: readonly ToyBlock[]
}

const schema = z.strictObject({
  name: z.string().min(1),
  salt: z
    .int()
    .min(0)
    .max(2 ** 40),
  work: z.array(z.number().min(0)).min(1).max(1000),
  weights: z.array(z.int().min(0)),
  length: z.int().min(1).max(1e7),
  skips: z.boolean(),
  isPinned: z.boolean().optional(),
  batches: z.boolean().optional(),
  exit: z.strictObject({ after: z.int().min(0), every: z.int().min(1) }).optional()
})

/**
 * A model whose results can be foretold: int32 in, int32 out, [1, length], the first number of which passes through.
 * @throws UserError `badOption`
 */
export const toyModel = (given: ToyModelOptions): ToyModel => {
  const options = checkedOptions(schema, given, 'toyModel')
  if (options.weights.length !== options.work.length)
    throw new UserError(
      `toyModel: weights: ${options.weights.length} for ${options.work.length} blocks; give one for each`,
      {
        code: 'badOption',
        facts: { option: 'weights' }
      }
    )
  const { name, salt, work, weights, length, skips } = options
  const last = work.length - 1
  const hasSkip = skips && last > 1
  const blocks = work.map((seconds, block): ToyBlock => {
    const makes = hasSkip && block === 0 ? ['x1', 'skip'] : [`x${block + 1}`]
    // The one between that reads it too gives it back: it lives on beside.
    const reads = hasSkip && (block === last || block === 1) ? [`x${block}`, 'skip'] : [`x${block}`]
    const [a, b] = [2 + ((salt * 31 + block * 7) % 1000), 1 + ((salt * 17 + block * 13) % 1000)]
    const leaves = options.exit?.after === block && block < last
    const exit = leaves ? { exit: { every: options.exit!.every, makes: `x${work.length}` } } : {}
    return { model: name, block, a, b, reads, makes, length, work: seconds, weight: weights[block]!, ...exit }
  })
  const files = blocks.map(block => new TextEncoder().encode(JSON.stringify(block)))
  const spec = (tensor: string): TensorSpec => ({ name: tensor, type: 'int32', shape: [1, length] })
  const alive = (k: number): string[] => [`x${k}`, ...(hasSkip && k > 0 && k <= last ? ['skip'] : [])]
  const facts = {
    name,
    sha256: hashOf(portableHash, `${name} ${salt}`),
    blocks: blocks.map((block, k) => ({
      sha256: blockHash(hashOf(portableHash, files[k]!)),
      bytes: bytes(block.weight),
      fileBytes: bytes(files[k]!.byteLength),
      flops: 0,
      work: seconds(block.work),
      ...(options.batches === true && block.exit === undefined ? { batches: true as const } : {})
    })),
    activations: Array.from({ length: blocks.length + 1 }, (_, k) => ({
      bytes: bytes(alive(k).length * length * INT32),
      tensors: alive(k).map(spec)
    })),
    inputs: [spec('x0')],
    outputs: [`x${blocks.length}`],
    ...(options.isPinned === true ? { pinned: true } : {})
  }
  return { manifest: { id: manifestId(facts), ...facts }, files, blocks }
}

/** Another model: all blocks but the last, byte for byte the same. */
export const withoutLastBlock = ({ manifest, files, blocks }: ToyModel): ToyModel => {
  const { id: _, activations, ...rest } = manifest
  const last = blocks.length - 1
  const output = activations[last]!.tensors.filter(({ name }) => name === `x${last}`)
  const facts = {
    ...rest,
    name: `${manifest.name} without its last block`,
    sha256: hashOf(portableHash, `${manifest.sha256} without its last block`),
    blocks: manifest.blocks.slice(0, last),
    activations: [...activations.slice(0, last), { bytes: bytes(blocks[last]!.length * INT32), tensors: output }],
    outputs: [`x${last}`]
  }
  const shorter = { files: files.slice(0, last), blocks: blocks.slice(0, last) }
  return { manifest: { id: manifestId(facts), ...facts }, ...shorter }
}

export const intTensor = (name: string, values: Int32Array<ArrayBuffer>): Tensor => ({
  name,
  type: 'int32',
  dims: [1, values.length],
  data: new Uint8Array(values.buffer)
})

export const valuesOf = ({ data, isLent }: Tensor): Int32Array => {
  const { buffer, byteOffset, byteLength } = isLent === true ? data.slice() : data
  return new Int32Array(buffer, byteOffset, byteLength / 4)
}

/** Which datum an activation is of. */
export const tagOf = (tensor: Tensor): number => valuesOf(tensor)[0]!

/** Whether a datum is done after this block. */
export const leavesAfter = ({ exit }: ToyBlock, inputs: readonly Tensor[]): boolean =>
  exit !== undefined && tagOf(inputs[0]!) % exit.every === 0

/** The outputs of one run. */
export const runToyBlock = (block: ToyBlock, inputs: readonly Tensor[]): Tensor[] => {
  const { a, b } = block
  const makes = leavesAfter(block, inputs) ? [block.exit!.makes] : block.makes
  const all = inputs.map(valuesOf)
  const first = all[0]!
  return makes.map((name, m) => {
    const made = new Int32Array(first.length)
    made[0] = first[0]!
    for (let i = TAG; i < first.length; i++) {
      let sum = m
      for (const values of all) sum += values[i]!
      made[i] = (a * (sum % P) + b) % P
    }
    return intTensor(name, made)
  })
}

/** The input of a datum. */
export const toyInput = ({ blocks }: ToyModel, source: number, datum: number): Tensor => {
  const values = new Int32Array(blocks[0]!.length)
  values[0] = datum
  for (let i = TAG; i < values.length; i++) values[i] = (datum * 101 + source * 59 + i * 7) % P
  return intTensor('x0', values)
}

/** What its result is, computed in one place: all numbers, as the sink has them. */
export const toyAnswer = (model: ToyModel, source: number, datum: number): string => {
  let here = [toyInput(model, source, datum)]
  for (const block of model.blocks) {
    const inputs = block.reads.map(name => here.find(tensor => tensor.name === name)!)
    const made = runToyBlock(block, inputs)
    here = [...here.filter(({ name }) => made.every(tensor => tensor.name !== name)), ...made]
    if (leavesAfter(block, inputs)) break
  }
  return textOf(here.find(({ name }) => name === model.manifest.outputs[0])!)
}

/** All its numbers, in a few. */
export const textOf = (tensor: Tensor): string => {
  const values = valuesOf(tensor)
  let hash = 0x811c9dc5
  for (const value of values) hash = Math.imul(hash ^ value, 0x01000193)
  return `${values[0]} ${(hash >>> 0).toString(16)}`
}
