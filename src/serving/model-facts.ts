import type { ModelManifest } from '../core/manifest.ts'
import type { TensorSpec } from '../core/tensor.ts'
import { batchOf, outputSpecsOf } from '../runtime/device/requests/batch.ts'
import { neededInputs } from '../runtime/device/requests/fit-request.ts'
import { configNameOf, configNumberOf, datatypeOf } from './datatypes.ts'
import { pythonDictionary } from './python-literal.ts'

/** Each model has one version. */
export const VERSION = '1'
export const PLATFORM = 'onnx_onnxv1'
const BACKEND = 'onnxruntime'

const shapeOf = ({ shape }: TensorSpec): number[] => shape.map(dim => (typeof dim === 'number' ? dim : -1))

/** What a client is told of a model, as `-1` where a dimension is dynamic. */
export const metadataOf = (name: string, manifest: ModelManifest) => {
  const described = (spec: TensorSpec) => ({ name: spec.name, datatype: datatypeOf(spec.type), shape: shapeOf(spec) })
  return {
    ...{ name, versions: [VERSION], platform: PLATFORM },
    inputs: neededInputs(manifest).map(described),
    outputs: outputSpecsOf(manifest).map(described)
  }
}

/**
 * A model's configuration: where it takes batches, shapes are those of one datum.
 * @param most data in a batch
 */
export const configOf = (name: string, manifest: ModelManifest, most: number) => {
  const takesBatches = batchOf(manifest) !== undefined
  const described = (spec: TensorSpec) => ({
    name: spec.name,
    type: configNameOf(spec.type),
    number: configNumberOf(spec.type),
    dims: takesBatches ? shapeOf(spec).slice(1) : shapeOf(spec)
  })
  return {
    ...{ name, platform: 'onnxruntime_onnx', backend: BACKEND },
    maxBatchSize: takesBatches ? most : 0,
    inputs: neededInputs(manifest).map(described),
    outputs: outputSpecsOf(manifest).map(described),
    parameters: { metadata: pythonDictionary(manifest.properties ?? {}) }
  }
}
