import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { describeIssue } from '../core/describe-issue.ts'
import { parseBounded } from '../core/parse-bounded.ts'
import { UserError } from '../core/user-error.ts'
import type { LiveContent, LiveItem } from '../runtime/io/live-item.ts'
import { type Tensors, toTensors } from '../runtime/io/tensor-like.ts'

/** No model has so many inputs. */
const MOST_TENSORS = 1024

const tensor = z.strictObject({
  type: z.string().optional(),
  dims: z.array(z.int().min(0)).max(16),
  data: z.union([z.array(z.number()), z.array(z.string())], 'must be a list of numbers or of texts')
})
const messageSchema = z
  .strictObject({
    name: z.string().min(1).max(200).optional(),
    tensors: z.union([tensor, z.record(z.string(), tensor)]).optional(),
    image: z.base64().min(1).optional(),
    file: z.string().min(1).max(4096).optional()
  })
  .refine(({ tensors, image, file }) => [tensors, image, file].filter(given => given !== undefined).length === 1, {
    error: 'needs one of tensors, image (base64) and file'
  })

/**
 * An item as a program writes it, in JSON: `{ "name", "tensors": { INPUT: { "dims", "data", "type" } } }`, or `"image"` in base64,
 * or `"file"`. What is none becomes an item that says why.
 * @param fallback its name where it has none
 * @param where for what is wrong: `line 3`
 * @param mayNameFiles a message of another machine does not
 */
export const parseMessage = (text: string, fallback: string, where: string, mayNameFiles: boolean): LiveItem => {
  let name = fallback
  try {
    const parsed = messageSchema.safeParse(refuseMany(parseBounded(text)))
    if (!parsed.success) {
      const knownKeys = () => ['name', 'tensors', 'image', 'file']
      throw new UserError(describeIssue(parsed.error.issues[0]!, { knownKeys }))
    }
    name = parsed.data.name ?? fallback
    return { name, content: contentOf(parsed.data, mayNameFiles) }
  } catch (error) {
    return { name, content: { kind: 'none', because: `${where}: ${(error as Error).message}` } }
  }
}

/** Each takes a while to be looked at. */
const refuseMany = (json: unknown): unknown => {
  const { tensors } = (json ?? {}) as { readonly tensors?: object }
  if (Object.keys(tensors ?? {}).length > MOST_TENSORS) throw new UserError(`tensors: has more than ${MOST_TENSORS}`)
  return json
}

const contentOf = ({ tensors, image, file }: z.output<typeof messageSchema>, mayNameFiles: boolean): LiveContent => {
  if (image !== undefined) return { kind: 'image', bytes: Buffer.from(image, 'base64') }
  if (tensors !== undefined) return { kind: 'tensors', tensors: toTensors(tensors as Tensors) }
  if (!mayNameFiles) throw new UserError('file: a message of another machine names no file here; send image or tensors')
  if (!isAbsolute(file!)) throw new UserError(`file: "${file}" must be an absolute path`)
  return { kind: 'file', path: file! }
}
