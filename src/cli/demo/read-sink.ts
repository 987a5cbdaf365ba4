import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { isResult, sinkEntrySchema } from '../../runtime/ports/sink-entry.ts'

/** One result in a sink of the `ppocr-rec` preset. Seconds. */
export interface SinkLine {
  readonly item: string
  readonly result: { readonly text: string; readonly confidence: number }
  readonly inferenceTime: number
}

const textSchema = z.object({ text: z.string(), confidence: z.number() })

/** The results in a sink, in the order in which they were written, items that have failed or were dropped left out; none when there is no file. */
export const readSink = async (file: string): Promise<SinkLine[]> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => sinkEntrySchema.parse(JSON.parse(line)))
    .flatMap(entry => {
      if (!isResult(entry)) return []
      const { item, result, inferenceTime } = entry
      return [{ item, result: textSchema.parse(result), inferenceTime }]
    })
}
