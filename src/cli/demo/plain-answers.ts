import '../../runtime/engine/no-telemetry.ts'
import { join } from 'node:path'
import ort from 'onnxruntime-node'
import type { TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { isElementType, toOrt } from '../../runtime/engine/ort-tensor.ts'
import { createDataPort } from '../../runtime/io/create-data-port.ts'
import { readIoSpec } from '../../runtime/io/read-io-spec.ts'
import { ctcText } from './ctc-text.ts'
import type { SourceImages } from './demo-images.ts'
import type { RunView } from './run-view.ts'

/** Text by item, by source; items that are not images are missing. */
export type PlainAnswers = ReadonlyMap<string, ReadonlyMap<string, string>>

export interface PlainAnswersOptions {
  /** The recognition model as it comes, whole, with all its scores as output. */
  readonly modelFile: string
  readonly images: readonly SourceImages[]
  readonly signal: AbortSignal
  readonly view: RunView
}

/**
 * What plain ONNX Runtime reads on every image: the whole model, uncut and unextended, in one session of this process.
 * It is the measure for every run. Only how an image becomes a tensor is shared with the devices.
 */
export const plainAnswers = async ({ modelFile, images, signal, view }: PlainAnswersOptions): Promise<PlainAnswers> => {
  const session = await ort.InferenceSession.create(modelFile)
  try {
    const spec = await readIoSpec({ preset: 'ppocr-rec' })
    const port = createDataPort({ spec, inputs: inputsOf(session), resultsFolder: '' })
    const read = async (path: string, item: string): Promise<string> => {
      const [input] = await port.read({ name: item, path })
      const outputs = await session.run({ [input!.name]: toOrt(input!) })
      const scores = outputs[session.outputNames[0]!]!
      return ctcText(scores.data as Float32Array, scores.dims.at(-1)!, spec.characters)
    }
    const answers = new Map<string, Map<string, string>>()
    for (const { source, folder, items, truth } of images) {
      view.say(`reading ${items.length} images of ${source} with plain ONNX Runtime, to compare with ...`)
      const texts = new Map<string, string>()
      for (const item of items) {
        signal.throwIfAborted()
        await read(join(folder, item), item).then(text => texts.set(item, text), skipUnreadable(view))
      }
      const right = [...truth].filter(([item, text]) => texts.get(item) === text).length
      if (truth.size > 0) view.say(`  ${right} of ${truth.size} as they are written`)
      answers.set(source, texts)
    }
    return answers
  } finally {
    await session.release()
  }
}

const skipUnreadable =
  (view: RunView) =>
  (error: unknown): void => {
    if (!(error instanceof UserError)) throw error
    view.say(`  skipped: ${error.message}`)
  }

const inputsOf = (session: ort.InferenceSession): TensorSpec[] =>
  session.inputMetadata.map(input => {
    if (!input.isTensor || !isElementType(input.type)) throw new Error(`input ${input.name} is not a tensor of numbers`)
    return { name: input.name, type: input.type, shape: [...input.shape] }
  })
