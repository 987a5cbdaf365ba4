import { z } from 'zod'
import { DROP_RULES, LATE_RULES } from '../../core/admission-terms.ts'
import { parseArrivals } from '../../core/arrivals.ts'
import { describeIssue } from '../../core/describe-issue.ts'
import { NAME_PATTERN, NAME_WORDS } from '../../core/name-pattern.ts'
import { nearest } from '../../core/nearest.ts'
import { parseFrequency, parseTime } from '../../core/parse-quantity.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { SourceTerms } from '../device/source-terms.ts'

/** A source as `--source` names it. */
export interface SourceSpec extends SourceTerms {
  /** Of its files; empty for a source of made-up data. */
  readonly folder: string
  /** How many made-up data it has; undefined for a source of files. */
  readonly synthetic: number | undefined
  /** At most this many items; undefined for all. */
  readonly count: number | undefined
}

const numberOf = (schema: z.ZodType<number, number>) =>
  z
    .string()
    .transform(text => (text.trim() === '' ? Number.NaN : Number(text)))
    .pipe(schema)

const asQuantity =
  <T>(parse: (text: string) => T) =>
  (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  }

/** Longer than a share takes to be mounted again. */
const PATIENCE: Seconds = seconds(30)

/** "5/s", and more than none. */
const frequency = (text: string): number => {
  const rate = parseFrequency(text)
  if (rate > 0) return rate
  throw new RangeError(`"${text}" must be more than 0`)
}

/** "500ms", and more than none. */
const deadlineTime = (text: string): Seconds => {
  const time = parseTime(text)
  if (time > 0) return time
  throw new RangeError(`"${text}" must be more than 0s`)
}

const schema = z.strictObject({
  name: z.string().regex(NAME_PATTERN, NAME_WORDS),
  folder: z.string().min(1, 'needs a folder: dir:PATH'),
  model: z.string().min(1, 'needs a name').optional(),
  window: numberOf(z.int().min(1).max(100_000)).default(16),
  arrivals: z.string().transform(asQuantity(parseArrivals)).default({ kind: 'saturated' }),
  count: numberOf(z.int().min(1).max(10_000_000)).optional(),
  weight: numberOf(z.number().min(1e-6).max(1e9)).default(1),
  start: z.string().transform(asQuantity(parseTime)).default(seconds(0)),
  patience: z.string().transform(asQuantity(parseTime)).default(PATIENCE),
  deadline: z.string().transform(asQuantity(deadlineTime)).default(seconds(Number.POSITIVE_INFINITY)),
  drop: z.enum(DROP_RULES).default('none'),
  queue: numberOf(z.int().min(1).max(100_000)).default(1),
  rate: z.string().transform(asQuantity(frequency)).default(Number.POSITIVE_INFINITY),
  late: z.enum(LATE_RULES).default('finish')
})

const FORM =
  'NAME=dir:PATH[,model=NAME][,window=N][,arrivals=saturated|poisson:5/s|every:200ms][,count=N][,weight=W][,start=5s][,patience=30s][,deadline=500ms][,late=finish|cancel][,drop=oldest|newest|none][,queue=N][,rate=5/s], or NAME=synthetic:COUNT with the same'
/** What may follow its name: where its items come from. */
export const SOURCE_KINDS = ['dir', 'synthetic']
/** What may follow that, as `key=value`. */
export const SOURCE_OPTIONS = Object.keys(schema.shape).filter(key => key !== 'name' && key !== 'folder')

/**
 * "door=dir:./images,window=8,arrivals=every:200ms"
 * @throws UserError that names the field, the value and what it may be
 */
export const parseSourceSpec = (text: string): SourceSpec => {
  const where = `source "${text}"`
  const [, name, kind, written] = /^([^=,]*)=(dir|synthetic):(.*)$/s.exec(text) ?? []
  if (name === undefined || written === undefined) throw new UserError(`${where} is not ${FORM}`)
  const [folder, options] = splitOptions(written, where)
  const synthetic = kind === 'synthetic' ? syntheticCount(folder, where) : undefined
  const parsed = schema.safeParse({ name, folder, ...options })
  if (!parsed.success)
    throw new UserError(`${where}: ${describeIssue(parsed.error.issues[0]!, { knownKeys: () => SOURCE_OPTIONS })}`)
  const { model, count, deadline, drop, queue, rate, late, ...rest } = parsed.data
  if (drop !== 'none' && rest.arrivals.kind === 'saturated')
    throw new UserError(
      `${where}: drop=${drop} needs arrivals=: the items of a ${kind} source wait until they are wanted`
    )
  const admission = { deadline, drop, queue, rate, late }
  return { ...rest, folder: synthetic === undefined ? folder : '', model, count, synthetic, admission }
}

const syntheticCount = (text: string, where: string): number => {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (count >= 1 && count <= 10_000_000) return count
  throw new UserError(`${where}: synthetic:${text} needs how many made-up data there are, 1 to 10000000`)
}

/** A comma of the path is one that no `key=` follows. */
const splitOptions = (rest: string, where: string): [folder: string, options: Record<string, string>] => {
  const [folder = '', ...parts] = rest.split(/,(?=[A-Za-z]+=)/)
  const options: Record<string, string> = {}
  for (const part of parts) {
    const [key = '', value = ''] = part.split(/=(.*)/s, 2)
    if (!SOURCE_OPTIONS.includes(key)) {
      const near = nearest(key, SOURCE_OPTIONS)
      throw new UserError(
        `${where}: unknown option "${key}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${SOURCE_OPTIONS.join(', ')})`
      )
    }
    if (options[key] !== undefined) throw new UserError(`${where}: ${key} is given twice; keep one`)
    options[key] = value
  }
  return [folder, options]
}
