import type { BlockHash } from '../../core/ids.ts'
import type { TensorSpec } from '../../core/tensor.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import type { Engine } from '../ports/engine.ts'

/** What a block counts as that does not run on made-up input, until its first real run. */
const UNKNOWN = seconds(1e-3)

/**
 * Load a block of a new model, time it on made-up input of the activation before it, and let go of it. One that does not run on
 * such input counts as next to nothing.
 * @param place of its bytes
 * @param tensors of the activation before it
 * @returns seconds in the way that the device's speed is about @throws EngineError when it is no model
 */
export const timeBlock = async (
  engine: Engine,
  hash: BlockHash,
  place: string,
  tensors: readonly TensorSpec[],
  say: (text: string, level?: 'warn') => void
): Promise<Seconds> => {
  const { inputs } = await engine.load(hash, place)
  const specs = new Map(tensors.map(tensor => [tensor.name, tensor]))
  try {
    const measured = inputs.map(spec => ({ spec, dims: (specs.get(spec.name) ?? spec).shape as readonly number[] }))
    return await engine.measure(hash, measured, true)
  } catch (error) {
    say(`block ${hash.slice(0, 12)} could not be timed on made-up input: ${(error as Error).message}`, 'warn')
    return UNKNOWN
  } finally {
    await engine.unload(hash)
  }
}
