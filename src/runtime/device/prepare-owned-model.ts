import { createReadStream } from 'node:fs'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromJsonString, toJsonString } from '@bufbuild/protobuf'
import { type BlockHash, blockHash } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { declaredInputs } from '../../model/declared-inputs.ts'
import { type OnnxFile, readOnnxFile } from '../../model/onnx-file.ts'
import type { InputShapes } from '../../model/tensor-facts.ts'
import { fromWire, manifestId, toWire } from '../cluster/manifest-codec.ts'
import type { Engine } from '../engine/engine.ts'
import { ManifestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { BlobStore } from '../network/blob-store.ts'
import type { CutFacts } from '../onnx/cut-answer.ts'
import { cutApart } from '../onnx/cut-apart.ts'
import type { OwnedModel } from './owned-model.ts'

export interface OwnerParts {
  readonly engine: Engine
  readonly blobs: BlobStore
  /** Of this device, emulation included. */
  readonly speed: number
  readonly say: (text: string) => void
  /** Ends it in mid-way. */
  readonly signal?: AbortSignal
}

/**
 * Cut a model into blocks, put them into the blob store, time each here, one at a time, so that no more than the largest
 * block is in memory. What an earlier start found out about the same file is used again.
 * @throws UserError when the file is no model that ONNX Runtime opens, or needs a shape
 */
export const prepareOwnedModel = async (owned: OwnedModel, parts: OwnerParts): Promise<ModelManifest> => {
  const file = await readOnnxFile(owned.file)
  const shapes = shapesOf(owned, file)
  const kept = join(
    owned.folder,
    `${file.identity.slice(0, 32)}-${
      owned.cutAt.length > 0
        ? `at-${owned.cutAt
            .join('-')
            .slice(0, 100)
            .replace(/[^A-Za-z0-9_-]/g, '_')}-${owned.cutAt.length}`
        : owned.maxBlocks
    }-${nameOfShapes(shapes)}.json`
  )
  const known = await restore(kept, owned, parts.blobs)
  if (known !== undefined) return withDeclaredWork(known, owned)
  parts.signal?.throwIfAborted()
  parts.say(`cutting ${owned.file} …`)
  await removeDrafts(owned.folder)
  const draft = join(owned.folder, `${DRAFT}${process.pid}-`)
  const { maxBlocks, cutAt } = owned
  const { blocks, activations, inputs, outputs } = await cutApart(
    { file: owned.file, shapes, maxBlocks, cutAt, draft },
    parts.signal
  )
  await storeBlocks(blocks, draft, parts)
  const facts = { name: owned.name, sha256: file.identity, activations, inputs, outputs }
  const timed: ModelManifest['blocks'][number][] = []
  for (const [k, { sha256, bytes, flops }] of blocks.entries()) {
    parts.signal?.throwIfAborted()
    const work = owned.work?.[k] ?? (await timeBlock(parts, sha256, activations[k]!.tensors))
    timed.push({ sha256, bytes, flops, work })
  }
  const id = manifestId({ blocks: timed, activations, outputs })
  const manifest = withDeclaredWork({ id, ...facts, blocks: timed }, owned)
  await writeFile(`${kept}.part`, toJsonString(ManifestSchema, toWire(manifest)))
  await rename(`${kept}.part`, kept)
  return manifest
}

const withDeclaredWork = (manifest: ModelManifest, { name, work }: OwnedModel): ModelManifest => {
  if (work === undefined) return manifest
  const { blocks } = manifest
  if (work.length !== blocks.length)
    throw new UserError(`--work ${name}: ${work.length} times for ${blocks.length} blocks; give one for each`)
  return { ...manifest, blocks: blocks.map((block, k) => ({ ...block, work: work[k]! })) }
}

const shapesOf = (owned: OwnedModel, file: OnnxFile): InputShapes => {
  const dynamic = declaredInputs(file).filter(({ shape }) => shape.some(d => typeof d !== 'number'))
  const missing = dynamic.filter(({ name }) => !owned.shapes.has(name))
  return new Map([...(missing.length === 0 ? [] : (owned.exampleShapes?.(missing) ?? [])), ...owned.shapes])
}

const nameOfShapes = (shapes: InputShapes): string =>
  [...shapes].map(([name, dims]) => `${name.replace(/[^A-Za-z0-9]/g, '_').slice(0, 24)}${dims.join('x')}`).join('-') ||
  'fixed'

const restore = async (kept: string, { name }: OwnedModel, blobs: BlobStore): Promise<ModelManifest | undefined> => {
  try {
    const manifest = { ...fromWire(fromJsonString(ManifestSchema, await readFile(kept, 'utf8'))), name }
    const found = await Promise.all(manifest.blocks.map(block => blobs.find(block.sha256)))
    return found.every(path => path !== undefined) ? manifest : undefined
  } catch {
    return undefined // the first start, or another version's file
  }
}

const DRAFT = 'draft-'

/** Of a start that was stopped while it cut. */
const removeDrafts = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) if (name.startsWith(DRAFT)) await rm(join(folder, name), { force: true })
}

/** A block's hash is known when its last byte is written, so it is written to a draft first. */
const storeBlocks = async (blocks: CutFacts['blocks'], draft: string, { blobs }: OwnerParts): Promise<void> => {
  for (const [index, { sha256 }] of blocks.entries()) {
    await blobs.put(sha256, createReadStream(`${draft}${index}.onnx`))
    await rm(`${draft}${index}.onnx`, { force: true })
  }
}

/** Seconds at speed 1. A block that does not run on made-up input counts as nothing until the first real run. */
const timeBlock = async (
  { engine, blobs, speed, say }: OwnerParts,
  hash: BlockHash,
  tensors: readonly TensorSpec[]
): Promise<Seconds> => {
  const path = await blobs.find(blockHash(hash))
  const { inputs } = await engine.load(hash, path!)
  const specs = new Map(tensors.map(tensor => [tensor.name, tensor]))
  try {
    const measured = inputs.map(spec => ({ spec, dims: (specs.get(spec.name) ?? spec).shape as readonly number[] }))
    return seconds((await engine.measure(hash, measured)) * speed)
  } catch (error) {
    say(`block ${hash.slice(0, 12)} could not be timed on made-up input: ${(error as Error).message}`)
    return seconds(1e-3)
  } finally {
    await engine.unload(hash)
  }
}
