import { readFile } from 'node:fs/promises'
import { z } from 'zod'

/** One result in a sink of the `ppocr-rec` preset. Seconds. */
const sinkLineSchema = z.object({
  item: z.string(),
  result: z.object({ text: z.string() }),
  inferenceTime: z.number()
})

export type SinkLine = z.infer<typeof sinkLineSchema>

/** The results in a sink, in the order in which they were written; none when the file is not there. */
export const readSink = async (file: string): Promise<SinkLine[]> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => sinkLineSchema.parse(JSON.parse(line)))
}
