import { create } from '@bufbuild/protobuf'
import { PEER_BUDGETS } from '../../cluster/peer-budgets.ts'
import { blockHash, deviceId, type ModelId, modelId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { oneLine } from '../../core/one-line.ts'
import { ELEMENT_TYPES, type ElementType, type TensorSpec } from '../../core/tensor.ts'
import { bytes, seconds } from '../../core/units.ts'
import { type Manifest, ManifestSchema, type TensorSpec as WireSpec } from '../generated/tributary/v1/wire_pb.ts'
import { hashOf } from '../hash/hash-of.ts'
import { portableHash } from '../hash/portable-hash.ts'

/** A model with more blocks or tensors than this is refused: nobody cuts so fine, and a peer must not fill our memory. */
const MAX_BLOCKS = PEER_BUDGETS.modelBlocks.burst
const MAX_BLOCK_BYTES = 64n * 2n ** 30n
/** What a file has around its weights. */
const FILE_FRAME = 2n ** 20n
const MAX_TENSORS = 4096
const MAX_RANK = 64
/** Of what a file says of itself. */
const MAX_PROPERTIES = 1024
const MAX_PROPERTY_CHARACTERS = 1_000_000

/**
 * The model's id in a cluster, and its fingerprint: SHA-256 over all of it but what it is called, which file it was cut
 * from, and what was measured: so two owners who cut one file alike share it, and nobody can pass on another in its place.
 */
export const manifestId = (manifest: Contents): ModelId => {
  const agreed = {
    blocks: manifest.blocks.map(({ sha256, bytes: weight, fileBytes = weight, batches }) => [
      ...[sha256, weight, fileBytes],
      ...(batches === true ? ['batches'] : [])
    ]),
    activations: manifest.activations.map(({ bytes: size, tensors }) => [size, tensors.map(specText)]),
    inputs: manifest.inputs.map(specText),
    outputs: manifest.outputs,
    outputSpecs: (manifest.outputSpecs ?? []).map(specText),
    properties: Object.entries(manifest.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    pinned: manifest.pinned === true,
    mostData: manifest.mostData ?? 0
  }
  return modelId(hashOf(portableHash, JSON.stringify(agreed)))
}

type Contents = Pick<
  ModelManifest,
  'blocks' | 'activations' | 'inputs' | 'outputs' | 'outputSpecs' | 'properties' | 'pinned' | 'mostData'
>

const specText = ({ name, type, shape }: TensorSpec) => [name, type, shape.map(dim => dim ?? '')]

export const toWire = (manifest: ModelManifest): Manifest =>
  create(ManifestSchema, {
    id: manifest.id,
    name: manifest.name,
    sha256: manifest.sha256,
    blocks: manifest.blocks.map(block => ({
      sha256: block.sha256,
      bytes: BigInt(block.bytes),
      fileBytes: BigInt(block.fileBytes ?? 0),
      flops: block.flops,
      work: block.work,
      batches: block.batches === true
    })),
    activations: manifest.activations.map(activation => ({
      bytes: BigInt(activation.bytes),
      tensors: activation.tensors.map(specToWire)
    })),
    inputs: manifest.inputs.map(specToWire),
    outputs: [...manifest.outputs],
    pinned: manifest.pinned === true,
    mostData: manifest.mostData ?? 0,
    outputSpecs: (manifest.outputSpecs ?? []).map(specToWire),
    properties: { ...manifest.properties },
    ...manifest.seal
  })

/** @throws Error that says what is wrong; a manifest from a peer is believed in nothing but its form */
export const fromWire = (wire: Manifest): ModelManifest => {
  const require = (ok: boolean, what: string): void => {
    if (!ok) throw new Error(`manifest of model "${wire.name.slice(0, 80)}": ${what}`)
  }
  const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
  require(wire.blocks.length > 0 &&
    wire.blocks.length <= MAX_BLOCKS, `${wire.blocks.length} blocks, 1 to ${MAX_BLOCKS} allowed`)
  require(wire.activations.length === wire.blocks.length + 1, 'needs one activation more than blocks')
  require(wire.activations.every(a => a.tensors.length <= MAX_TENSORS), `more than ${MAX_TENSORS} tensors at a cut`)
  require(wire.blocks.every(block => isHash(block.sha256)), 'a block without a SHA-256')
  require(isHash(wire.sha256), 'no SHA-256 of its file')
  require(wire.blocks.every(block => Number.isFinite(block.work) && block.work >= 0), 'a block without a time')
  // What is placed on a device fits in its memory: so it fits on its disk, too.
  require(wire.blocks.every(
    ({ bytes: weight, fileBytes }) => weight <= MAX_BLOCK_BYTES && fileBytes <= weight + FILE_FRAME
  ), 'a block whose file is larger than the block, or than any is')
  const properties = Object.entries(wire.properties)
  require(properties.length <= MAX_PROPERTIES &&
    properties.reduce((sum, [key, value]) => sum + key.length + value.length, 0) <=
      MAX_PROPERTY_CHARACTERS, 'says too much of itself')
  require(wire.outputSpecs.length <= MAX_TENSORS, `more than ${MAX_TENSORS} outputs`)
  const manifest: Omit<ModelManifest, 'id'> = {
    name: oneLine(wire.name.slice(0, 200)),
    sha256: wire.sha256,
    blocks: wire.blocks.map(block => ({
      sha256: blockHash(block.sha256),
      bytes: bytes(Number(block.bytes)),
      ...(block.fileBytes === 0n ? {} : { fileBytes: bytes(Number(block.fileBytes)) }),
      flops: block.flops,
      work: seconds(block.work),
      ...(block.batches ? { batches: true as const } : {})
    })),
    activations: wire.activations.map(activation => ({
      bytes: bytes(Number(activation.bytes)),
      tensors: activation.tensors.map(specFromWire)
    })),
    inputs: wire.inputs.map(specFromWire),
    outputs: wire.outputs,
    ...(wire.pinned ? { pinned: true } : {}),
    ...(wire.mostData === 0 ? {} : { mostData: wire.mostData }),
    ...(wire.outputSpecs.length === 0 ? {} : { outputSpecs: wire.outputSpecs.map(specFromWire) }),
    ...(properties.length === 0 ? {} : { properties: wire.properties }),
    ...(wire.owner === '' ? {} : { seal: { owner: deviceId(wire.owner), signature: wire.signature } })
  }
  const id = manifestId(manifest)
  require(id === wire.id, 'its id is not that of its contents')
  return { id, ...manifest }
}

const specToWire = (spec: TensorSpec) => ({
  name: spec.name,
  type: spec.type,
  shape: spec.shape.map(dim =>
    typeof dim === 'number'
      ? { size: { case: 'value' as const, value: BigInt(dim) } }
      : { size: { case: 'symbol' as const, value: dim ?? '' } }
  )
})

const isElementType = (text: string): text is ElementType => Object.hasOwn(ELEMENT_TYPES, text)

const specFromWire = (wire: WireSpec): TensorSpec => {
  if (!isElementType(wire.type)) throw new Error(`manifest: tensor "${wire.name}" has the unknown type "${wire.type}"`)
  if (wire.shape.length > MAX_RANK)
    throw new Error(`manifest: tensor "${wire.name}" has ${wire.shape.length} dimensions`)
  const shape = wire.shape.map(({ size }) =>
    size.case === 'value' ? Number(size.value) : size.value === '' ? null : (size.value ?? null)
  )
  return { name: wire.name, type: wire.type, shape }
}
