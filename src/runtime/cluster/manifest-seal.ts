import type { DeviceId } from '../../core/ids.ts'
import type { ModelManifest } from '../../core/manifest.ts'
import { oneLine } from '../../core/one-line.ts'
import type { Signer } from '../ports/signer.ts'

/** The id is a hash of all else that is in it: this is what the owner says beside. */
const sealedText = ({ id, name, sha256, blocks }: ModelManifest): Uint8Array =>
  new TextEncoder().encode(
    `tributary manifest 1\n${JSON.stringify([id, oneLine(name.slice(0, 200)), sha256, blocks.map(({ flops, work }) => [flops, work])])}`
  )

/** As its owner gives it away. */
export const sealManifest = async (
  manifest: ModelManifest,
  owner: DeviceId,
  signer: Signer
): Promise<ModelManifest> => ({
  ...manifest,
  seal: { owner, signature: await signer.sign(sealedText(manifest)) }
})

/** @throws Error where it is not what its owner signed, whoever passed it on */
export const requireSeal = async (manifest: ModelManifest, signer: Signer): Promise<void> => {
  const { name, seal } = manifest
  if (seal === undefined) throw new Error(`manifest of model "${name}": its owner has not signed it`)
  if (!(await signer.isValid(seal.owner, sealedText(manifest), seal.signature)))
    throw new Error(`manifest of model "${name}": the signature of ${seal.owner.slice(-8)} is not valid`)
}
