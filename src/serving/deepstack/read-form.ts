import { withPackages } from '../../core/with-packages.ts'
import { ServingError } from '../serving-error.ts'

/** What a client's form has: one image at most, and words. */
export interface DetectionForm {
  readonly image: Buffer | undefined
  readonly fields: ReadonlyMap<string, string>
}

const LIMITS = { files: 1, fields: 20, parts: 25, fieldNameSize: 100, fieldSize: 4096, headerPairs: 50 }

/**
 * @param type of the content, as its header has it
 * @param body whole
 * @throws ServingError where it is no form; UserError `packageMissing`
 */
export const readForm = async (type: string, body: Uint8Array): Promise<DetectionForm> => {
  if (!/^multipart\/form-data\b/i.test(type))
    throw new ServingError('badRequest', 'send multipart/form-data, with the picture as the file "image"')
  const { Busboy } = await withPackages('Reading forms', ['@fastify/busboy'], () => import('@fastify/busboy'))
  const fields = new Map<string, string>()
  let image: Buffer | undefined
  await new Promise<void>((resolve, reject) => {
    const bad = (words: string): void => reject(new ServingError('badRequest', words))
    const broken = (error: unknown): void => bad(`the form is broken: ${(error as Error).message}`)
    try {
      const form = new Busboy({ headers: { 'content-type': type }, limits: LIMITS })
      form.on('field', (name, value) => fields.set(name, value))
      form.on('file', (name, stream) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          if (name === 'image') image = Buffer.concat(chunks)
        })
        stream.on('error', broken)
      })
      for (const kind of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const)
        form.on(kind, () => bad('the form has too many parts: one image and a few words are taken'))
      form.on('error', broken)
      form.on('finish', resolve)
      form.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
    } catch (error) {
      broken(error)
    }
  })
  return { image, fields }
}
