import { join } from 'node:path'
import type { InferenceSession } from 'onnxruntime-node'
import type { TensorSpec } from '../../core/tensor.ts'
import { UserError } from '../../core/user-error.ts'
import { ort, SILENT } from '../../runtime/engine/onnx-runtime.ts'
import { fromOrt, isElementType, toOrt } from '../../runtime/engine/ort-tensor.ts'
import { createDataPort } from '../../runtime/io/create-data-port.ts'
import { ctcText as recognisedText } from '../../runtime/io/ctc-text.ts'
import { readIoSpec } from '../../runtime/io/read-io-spec.ts'
import { ctcText } from './ctc-text.ts'
import type { SourceImages } from './demo-images.ts'
import type { RunView } from './run-view.ts'

/** Each by item, by source; items that are not images are missing. */
export interface PlainAnswers {
  readonly texts: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Mean probability of a text's characters. */
  readonly confidences: ReadonlyMap<string, ReadonlyMap<string, number>>
}

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
  const session = await ort.InferenceSession.create(modelFile, { logSeverityLevel: SILENT })
  try {
    const spec = await readIoSpec({ preset: 'ppocr-rec' })
    const port = createDataPort({ spec, inputs: inputsOf(session), resultsFolder: '' })
    const read = async (path: string, item: string): Promise<{ text: string; confidence: number }> => {
      const [input] = await port.read({ name: item, path })
      const outputs = await session.run({ [input!.name]: toOrt(input!) })
      const scores = outputs[session.outputNames[0]!]!
      const { confidence } = recognisedText([fromOrt('scores', scores)], { characters: spec.characters, blank: 0 })
      return { text: ctcText(scores.data as Float32Array, scores.dims.at(-1)!, spec.characters), confidence }
    }
    const all = new Map<string, Map<string, string>>()
    const confidences = new Map<string, Map<string, number>>()
    for (const { source, folder, items, truth } of images) {
      view.say(`reading ${items.length} images of ${source} with plain ONNX Runtime, to compare with ...`)
      const texts = new Map<string, string>()
      const sure = new Map<string, number>()
      for (const item of items) {
        signal.throwIfAborted()
        await read(join(folder, item), item).then(({ text, confidence }) => {
          texts.set(item, text)
          sure.set(item, confidence)
        }, passOverUnreadable(view))
      }
      const right = [...truth].filter(([item, text]) => texts.get(item) === text).length
      if (truth.size > 0) view.say(`  ${right} of ${truth.size} as they are written`)
      all.set(source, texts)
      confidences.set(source, sure)
    }
    return { texts: all, confidences }
  } finally {
    await session.release()
  }
}

const passOverUnreadable =
  (view: RunView) =>
  (error: unknown): void => {
    if (!(error instanceof UserError)) throw error
    view.say(`  no image: ${error.message}`)
  }

const inputsOf = (session: InferenceSession): TensorSpec[] =>
  session.inputMetadata.map(input => {
    if (!input.isTensor || !isElementType(input.type)) throw new Error(`input ${input.name} is not a tensor of numbers`)
    return { name: input.name, type: input.type, shape: [...input.shape] }
  })
