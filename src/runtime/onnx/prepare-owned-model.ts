import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromJsonString, toJsonString } from '@bufbuild/protobuf'
import type { BlockHash } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { describeNoneStored, describeWeightChoice } from '../../core/weight-choice.ts'
import { declaredInputs } from '../../model/declared-inputs.ts'
import { declaredOutputs } from '../../model/declared-outputs.ts'
import { readOnnxFile } from '../../model/files/read-onnx-file.ts'
import { type InputShapes, withGiven } from '../../model/input-shapes.ts'
import { describeLeftOut } from '../../model/left-out.ts'
import type { OnnxFile } from '../../model/onnx-file.ts'
import { propertiesOf } from '../../model/properties-of.ts'
import { WEIGHTS_PROPERTY } from '../../model/small-weights.ts'
import { fromWire, manifestId, toWire } from '../cluster/manifest-codec.ts'
import { timeBlock } from '../cluster/time-block.ts'
import type { OwnerParts } from '../device/owned-model.ts'
import { ManifestSchema } from '../generated/tributary/v1/wire_pb.ts'
import type { BlockStore } from '../ports/block-store.ts'
import { onStateDisk } from '../state/on-state-disk.ts'
import { PRIVATE_FILE } from '../state/privacy.ts'
import type { CutFacts } from './cut-answer.ts'
import { cutApart } from './cut-apart.ts'
import type { OnnxModel } from './onnx-model.ts'

/** Blocks that an earlier version cut otherwise are not used again. */
const CUT_BY = 4

/**
 * Cut a model into blocks, put them into the blob store, time each here, one at a time, so that no more than the largest
 * block is in memory. What an earlier start found out about the same file is used again.
 * @throws UserError `badModel` when the file is no model that ONNX Runtime opens or that can be served, `badShape` when it needs
 *   a shape, `badCut` when it cannot be cut there, `stateRefused` when the disk does not take the blocks
 */
export const prepareOwnedModel = (owned: OnnxModel, parts: OwnerParts): Promise<ModelManifest> =>
  onStateDisk(owned.folder, () => prepare(owned, parts)).catch(error => {
    if (!(error instanceof UserError) || error.code !== 'invalid') throw error
    throw new UserError(error.message, { code: 'badModel', facts: { file: owned.file }, cause: error })
  })

const prepare = async (owned: OnnxModel, parts: OwnerParts): Promise<ModelManifest> => {
  const file = await readOnnxFile(owned.file)
  const shapes = shapesOf(owned, file)
  const kept = join(owned.folder, `${file.identity.slice(0, 32)}-${nameOfCut(owned, shapes)}.json`)
  const known = await restore(kept, owned, parts.blobs)
  if (known !== undefined) {
    sayMissing(file, known, parts)
    const said = { ...known, ...saidBy(file, known, known.properties?.[WEIGHTS_PROPERTY]) }
    return withDeclaredWork({ ...said, id: manifestId(said) }, owned)
  }
  parts.signal?.throwIfAborted()
  parts.say(`cutting ${owned.file} …`)
  const { blocks, activations, inputs, outputs, leftOut } = await cutAndStored(owned, shapes, parts)
  if (leftOut.length > 0) parts.say(`${owned.file}: ${describeLeftOut(leftOut)}`, 'warn')
  const pinned = owned.pinned === true ? { pinned: true } : {}
  const limited = owned.mostData === undefined ? {} : { mostData: owned.mostData }
  const stored = storedIn(blocks)
  if (owned.weights !== undefined && stored === undefined)
    parts.say(`${owned.file}: ${describeNoneStored(owned.weights)}`, 'warn')
  const said = saidBy(file, { outputs }, stored)
  const facts = {
    name: owned.name,
    sha256: file.identity,
    activations,
    inputs,
    outputs,
    ...pinned,
    ...limited,
    ...said
  }
  const timed: ModelManifest['blocks'][number][] = []
  for (const [k, { sha256, bytes: fileBytes, loadedBytes, flops, batches }] of blocks.entries()) {
    parts.signal?.throwIfAborted()
    const work = owned.work?.[k] ?? (await workOf(parts, sha256, activations[k]!.tensors))
    const more = loadedBytes === fileBytes ? {} : { fileBytes }
    timed.push({ sha256, bytes: loadedBytes, ...more, flops, work, ...(batches ? { batches } : {}) })
  }
  const id = manifestId({ ...facts, blocks: timed })
  const manifest = withDeclaredWork({ id, ...facts, blocks: timed }, owned)
  await writeFile(`${kept}.part`, toJsonString(ManifestSchema, toWire(manifest)), { mode: PRIVATE_FILE })
  await rename(`${kept}.part`, kept)
  return manifest
}

/** What whoever asks about the model is told, and nobody computes with. */
const saidBy = (
  { graph, model }: OnnxFile,
  { outputs }: Pick<ModelManifest, 'outputs'>,
  weights: string | undefined
): Pick<ModelManifest, 'outputSpecs' | 'properties'> => ({
  outputSpecs: declaredOutputs(graph).filter(({ name }) => outputs.includes(name)),
  properties: {
    ...propertiesOf(model),
    ...(weights === undefined ? {} : { [WEIGHTS_PROPERTY]: weights })
  }
})

/** How the weights are stored of which something else than the model's own is; in words. */
const storedIn = (blocks: CutFacts['blocks']): string | undefined => {
  const small = blocks.flatMap(({ weights }, k) => (weights === undefined ? [] : [k]))
  const [format] = blocks.flatMap(({ weights }) => weights ?? [])
  if (format === undefined) return undefined
  return describeWeightChoice(small.length === blocks.length ? { format } : { format, blocks: small })
}

/** What was left out when it was cut is said at each start. */
const sayMissing = ({ path, graph }: OnnxFile, { outputs }: ModelManifest, { say }: OwnerParts): void => {
  const missing = graph.output.map(({ name }) => name).filter(name => !outputs.includes(name))
  if (missing.length > 0) say(`${path}: left out, since only tensors travel: output "${missing.join('", "')}"`, 'warn')
}

const withDeclaredWork = (manifest: ModelManifest, { name, work }: OnnxModel): ModelManifest => {
  if (work === undefined) return manifest
  const { blocks } = manifest
  if (work.length !== blocks.length)
    throw new UserError(`work ${name}: ${work.length} times for ${blocks.length} blocks; give one for each`)
  return { ...manifest, blocks: blocks.map((block, k) => ({ ...block, work: work[k]! })) }
}

/** Given shapes, and for inputs of which they leave something open those of the sources' data. */
const shapesOf = ({ file: path, shapes, exampleShapes }: OnnxModel, file: OnnxFile): InputShapes => {
  const declared = declaredInputs(file)
  const all = new Map(shapes)
  for (let isSettled = exampleShapes === undefined; !isSettled; ) {
    // One after another: what one input's data say of a dimension holds for others that name it.
    const inputs = withGiven(path, declared, all).map(({ shape }, i) => ({ ...declared[i]!, shape: shape ?? [] }))
    const examples = exampleShapes!(inputs)
    const open = inputs.find(
      ({ name, shape }) => !all.has(name) && examples.has(name) && shape.some(d => typeof d !== 'number')
    )
    if (open === undefined) isSettled = true
    else all.set(open.name, examples.get(open.name)!)
  }
  return all
}

/** Of all that decides what becomes of a file. */
const nameOfCut = ({ cutAt, maxBlocks, pinned, mostData, weights }: OnnxModel, shapes: InputShapes): string => {
  const cut = [CUT_BY, cutAt.length > 0 ? cutAt : maxBlocks, [...shapes].sort(byName), pinned === true]
  const limit = mostData === undefined ? [] : [mostData]
  const stored = weights === undefined ? [] : [weights]
  return createHash('sha256')
    .update(JSON.stringify([...cut, ...limit, ...stored]))
    .digest('hex')
    .slice(0, 32)
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

const restore = async (kept: string, { name }: OnnxModel, blobs: BlockStore): Promise<ModelManifest | undefined> => {
  try {
    const manifest = { ...fromWire(fromJsonString(ManifestSchema, await readFile(kept, 'utf8'))), name }
    const found = await Promise.all(manifest.blocks.map(block => blobs.find(block.sha256)))
    return found.every(path => path !== undefined) ? manifest : undefined
  } catch {
    return undefined // the first start, or another version's file
  }
}

const DRAFT = 'draft-'
/** Beginnings of the names of those that are being written: several models may be cut at once, into one folder. */
const drafts = new Set<string>()
let count = 0

const cutAndStored = async (owned: OnnxModel, shapes: InputShapes, parts: OwnerParts): Promise<CutFacts> => {
  const { file, folder, maxBlocks, cutAt, weights } = owned
  const name = `${DRAFT}${process.pid}-${count++}-`
  const draft = join(folder, name)
  drafts.add(name)
  try {
    await removeDrafts(folder)
    const cut = await cutApart({ file, shapes, maxBlocks, cutAt, weights, draft }, parts.signal)
    await storeBlocks(cut.blocks, draft, parts)
    return cut
  } finally {
    drafts.delete(name)
  }
}

/** Of a start that was stopped while it cut. */
const removeDrafts = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const isOurs = [...drafts].some(draft => name.startsWith(draft))
    if (name.startsWith(DRAFT) && !isOurs) await rm(join(folder, name), { force: true })
  }
}

/** A block's hash is known when its last byte is written, so it is written to a draft first. */
const storeBlocks = async (blocks: CutFacts['blocks'], draft: string, { blobs }: OwnerParts): Promise<void> => {
  for (const [index, { sha256 }] of blocks.entries()) {
    await blobs.put(sha256, createReadStream(`${draft}${index}.onnx`))
    await rm(`${draft}${index}.onnx`, { force: true })
  }
}

/** Seconds at speed 1. */
const workOf = async (
  { engine, blobs, speed, say }: OwnerParts,
  hash: BlockHash,
  tensors: readonly TensorSpec[]
): Promise<Seconds> => {
  const place = await blobs.find(hash)
  return seconds((await timeBlock(engine, hash, place!, tensors, say)) * speed)
}
