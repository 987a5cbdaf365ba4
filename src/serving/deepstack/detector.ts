import type { ModelManifest } from '../../core/manifest.ts'
import type { Tensor, TensorSpec } from '../../core/tensor.ts'
import { outputSpecsOf } from '../../runtime/device/requests/batch.ts'
import { neededInputs } from '../../runtime/device/requests/fit-request.ts'
import { checkOutputs } from '../../runtime/io/check-outputs.ts'
import { type Detection, detect } from '../../runtime/io/detect/detect.ts'
import type { ImagePlace } from '../../runtime/io/image-place.ts'
import { imageTarget } from '../../runtime/io/image-target.ts'
import { imageBytesToTensor } from '../../runtime/io/image-to-tensor.ts'
import type { ImageInput, IoSpec, OutputSpec } from '../../runtime/io/io-spec.ts'
import { otherInputs } from '../../runtime/io/other-inputs.ts'

/** How pictures become tensors and outputs boxes: of images, and with no files beside them. */
export interface DetectionSpec extends IoSpec {
  readonly input: ImageInput
  readonly output: Extract<OutputSpec, { kind: 'detect' }>
}

export const isDetection = (spec: IoSpec | undefined): spec is DetectionSpec =>
  spec?.output.kind === 'detect' &&
  spec.input.kind === 'image' &&
  Object.values(spec.inputs).every(({ kind }) => kind !== 'npy')

/** What a model takes for a picture, and where the picture is in it. */
export interface PreparedPicture {
  readonly tensors: readonly Tensor[]
  readonly place: ImagePlace
}

/** A detector that is given encoded pictures, whoever computes it. */
export class Detector {
  readonly #spec: DetectionSpec
  readonly #inputs: readonly TensorSpec[]

  /** @throws UserError where the model takes no such pictures, or gives something else */
  constructor(spec: DetectionSpec, manifest: ModelManifest) {
    this.#spec = spec
    this.#inputs = neededInputs(manifest)
    imageTarget(spec, spec.input, this.#inputs)
    otherInputs(spec, this.#inputs)
    checkOutputs(spec, outputSpecsOf(manifest))
  }

  /** @throws UserError where it is no picture */
  async prepare(picture: Uint8Array): Promise<PreparedPicture> {
    const { tensor, place } = await imageBytesToTensor(
      picture,
      'the picture',
      imageTarget(this.#spec, this.#spec.input, this.#inputs)
    )
    const others = otherInputs(this.#spec, this.#inputs)
    return { tensors: [tensor, ...(await others.read({ name: '', path: '' }, place))], place }
  }

  /** @throws UserError where the outputs are not of the family */
  boxes(outputs: readonly Tensor[], place: ImagePlace, threshold: number, limit: number): readonly Detection[] {
    const { output, labels } = this.#spec
    return detect(outputs, { ...output, labels, threshold, limit }, place)
  }
}
