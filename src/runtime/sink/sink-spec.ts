import { z } from 'zod'
import { describeIssue } from '../../core/describe-issue.ts'
import { nearest } from '../../core/nearest.ts'
import { parseSize } from '../../core/parse-quantity.ts'
import { UserError } from '../../core/user-error.ts'
import { STDOUT } from './open-line-target.ts'
import type { Rotation } from './sink-writer.ts'

/** A sink as `--sink` names it. */
export interface SinkSpec {
  /** As it was written. */
  readonly text: string
  /** A path, or `-`. */
  readonly path: string
  readonly rotation: Rotation | undefined
  /** Names of the sources whose outcomes it takes; undefined for all. */
  readonly sources: readonly string[] | undefined
}

const size = z.string().transform((text, context): number => {
  try {
    const bytes = parseSize(text)
    if (bytes >= LEAST_ROTATION) return bytes
    context.addIssue({ code: 'custom', message: `${text} is less than 4KiB` })
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
  return z.NEVER
})
const LEAST_ROTATION = 4096

const schema = z.strictObject({
  rotate: size.optional(),
  keep: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be how many rotated files remain, 1 to 999999')
    .transform(Number)
    .optional(),
  sources: z
    .string()
    .transform(text => text.split('+'))
    .optional()
})
export const SINK_OPTIONS: readonly string[] = Object.keys(schema.shape)

/**
 * "results.jsonl,rotate=64MiB,keep=10", "-", "file:a.jsonl,sources=door+cam"
 * @throws UserError that names the field, the value and what it may be
 */
export const parseSinkSpec = (text: string): SinkSpec => {
  const where = `sink "${text}"`
  const [target, options] = splitOptions(text, where)
  const path = target.replace(/^file:/, '')
  if (path === '') throw new UserError(`${where}: needs a file, or - for standard output`)
  const parsed = schema.safeParse(options)
  if (!parsed.success)
    throw new UserError(`${where}: ${describeIssue(parsed.error.issues[0]!, { knownKeys: () => SINK_OPTIONS })}`)
  const { rotate, keep, sources } = parsed.data
  if (keep !== undefined && rotate === undefined) throw new UserError(`${where}: keep goes with rotate=SIZE`)
  if (rotate !== undefined && STDOUT.includes(path))
    throw new UserError(`${where}: standard output is no file that could be rotated; leave rotate out`)
  return { text, path, rotation: rotate === undefined ? undefined : { size: rotate, keep }, sources }
}

/** A comma of the target is one that no `key=` follows. */
const splitOptions = (text: string, where: string): [target: string, options: Record<string, string>] => {
  const [target = '', ...parts] = text.split(/,(?=[A-Za-z]+=)/)
  const options: Record<string, string> = {}
  for (const part of parts) {
    const [key = '', value = ''] = part.split(/=(.*)/s, 2)
    const near = nearest(key, SINK_OPTIONS)
    if (!SINK_OPTIONS.includes(key))
      throw new UserError(
        `${where}: unknown option "${key}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${SINK_OPTIONS.join(', ')})`
      )
    if (options[key] !== undefined) throw new UserError(`${where}: ${key} is given twice; keep one`)
    options[key] = value
  }
  return [target, options]
}
