import { z } from 'zod'
import { type AdmissionTerms, DROP_RULES, LATE_RULES } from '../../core/admission-terms.ts'
import { parseArrivals } from '../../core/arrivals.ts'
import { describeIssue } from '../../core/describe-issue.ts'
import { NAME_PATTERN, NAME_WORDS } from '../../core/name-pattern.ts'
import { nearest } from '../../core/nearest.ts'
import { parseFrequency, parseTime } from '../../core/parse-quantity.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { SourceTerms } from '../device/source-terms.ts'
import { hidePassword } from './hide-password.ts'
import { parseMqttAddress } from './mqtt-address.ts'

/** What may follow its name: where its items come from. */
export const SOURCE_KINDS = ['dir', 'synthetic', 'watch', 'stdin', 'video', 'mqtt'] as const

export type SourceKind = (typeof SOURCE_KINDS)[number]

/** A source as `--source` names it. */
export interface SourceSpec extends SourceTerms {
  readonly admission: AdmissionTerms
  readonly kind: SourceKind
  /** What stands behind its kind: a folder, a count, what comes on standard input. */
  readonly argument: string
  /** Of its files; empty for a source that has none. */
  readonly folder: string
  /** How many made-up data it has; undefined for all others. */
  readonly synthetic: number | undefined
  /** At most this many items; undefined for all. */
  readonly count: number | undefined
  /** A file that does not change for so long is whole: of `watch`. */
  readonly settle: Seconds
  /** Of raw frames, in pixels, and how many bytes each has: of `stdin:frames`. */
  readonly size: { readonly width: number; readonly height: number } | undefined
  readonly channels: 1 | 3
  /** So many frames a second; undefined: all there are: of `video`, as what follows. */
  readonly fps: number | undefined
  /** What ffmpeg calls the format of the input, where that does not follow from it. */
  readonly format: string | undefined
  /** A file is read as fast as its frames are taken, or as fast as they were made. */
  readonly pace: 'fast' | 'real'
  /** Whether the broker keeps a message until its outcome is in the sink: of `mqtt`. */
  readonly qos: 0 | 1
}

/** An input of ffmpeg that goes on by itself: what is not read of it is lost. */
export const isLiveVideo = (input: string, format: string | undefined): boolean =>
  /^(?:rtsps?|rtmps?|https?|udp|rtp|srt|tcp):/i.test(input) ||
  input.startsWith('/dev/') ||
  LIVE_FORMATS.includes(format)

const LIVE_FORMATS: readonly (string | undefined)[] = ['v4l2', 'lavfi', 'avfoundation', 'dshow', 'gdigrab', 'x11grab']

/** `mqtt://HOST/TOPIC` as a source is written; `mqtt:mqtts://...` for TLS. */
export const mqttAddressOf = (argument: string): string => (argument.startsWith('//') ? `mqtt:${argument}` : argument)

/** Its items come when they come. */
export const isLiveKind = (kind: SourceKind): boolean => kind !== 'dir' && kind !== 'synthetic'

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
  model: z.string().min(1, 'needs a name').optional(),
  window: numberOf(z.int().min(1).max(100_000)).or(z.literal('auto')).default('auto'),
  arrivals: z.string().transform(asQuantity(parseArrivals)).default({ kind: 'saturated' }),
  count: numberOf(z.int().min(1).max(10_000_000)).optional(),
  weight: numberOf(z.number().min(1e-6).max(1e9)).default(1),
  start: z.string().transform(asQuantity(parseTime)).default(seconds(0)),
  patience: z.string().transform(asQuantity(parseTime)).default(PATIENCE),
  deadline: z.string().transform(asQuantity(deadlineTime)).default(seconds(Number.POSITIVE_INFINITY)),
  drop: z.enum(DROP_RULES).optional(),
  queue: numberOf(z.int().min(1).max(100_000)).default(1),
  rate: z.string().transform(asQuantity(frequency)).default(Number.POSITIVE_INFINITY),
  late: z.enum(LATE_RULES).default('finish'),
  settle: z.string().transform(asQuantity(parseTime)).default(seconds(2)),
  size: z
    .string()
    .regex(/^[1-9]\d{0,4}x[1-9]\d{0,4}$/, 'must be WIDTHxHEIGHT in pixels, like 640x480')
    .transform(text => text.split('x').map(Number))
    .transform(([width = 0, height = 0]) => ({ width, height }))
    .optional(),
  pixels: z.enum(['rgb24', 'gray']).default('rgb24'),
  fps: numberOf(z.number().min(0.001).max(1000)).optional(),
  format: z
    .string()
    .regex(/^[a-z0-9_]{1,40}$/, 'must be a format of ffmpeg, like v4l2 or lavfi')
    .optional(),
  pace: z.enum(['fast', 'real']).default('fast'),
  qos: z.enum(['0', '1']).default('1')
})

const FORM =
  'NAME=dir:PATH, synthetic:COUNT, watch:PATH, stdin:, video:INPUT or mqtt://HOST/TOPIC, then [,model=NAME][,window=N|auto][,arrivals=saturated|poisson:5/s|every:200ms][,count=N][,weight=W][,start=5s][,patience=30s][,deadline=500ms][,late=finish|cancel][,drop=oldest|newest|none][,queue=N][,rate=5/s]'
/** Which kinds of source have an option that not all have. */
const OF_KINDS: Readonly<Record<string, readonly SourceKind[]>> = {
  arrivals: ['dir', 'synthetic'],
  settle: ['watch'],
  size: ['stdin'],
  pixels: ['stdin'],
  fps: ['video'],
  format: ['video'],
  pace: ['video'],
  qos: ['mqtt']
}
/** What may follow that, as `key=value`. */
export const SOURCE_OPTIONS = Object.keys(schema.shape).filter(key => key !== 'name')

/**
 * "door=dir:./images,window=8,arrivals=every:200ms"
 * @throws UserError that names the field, the value and what it may be
 */
export const parseSourceSpec = (text: string): SourceSpec => {
  const where = `source "${hidePassword(text)}"`
  const [, name, before, written] = new RegExp(`^([^=,]*)=(${SOURCE_KINDS.join('|')}):(.*)$`, 's').exec(text) ?? []
  if (name === undefined || written === undefined) throw new UserError(`${where} is not ${FORM}`)
  const kind = before as SourceKind
  const [argument, options] = splitOptions(written, where)
  for (const key of Object.keys(options))
    if (OF_KINDS[key]?.includes(kind) === false)
      throw new UserError(`${where}: ${key} is an option of ${OF_KINDS[key].join(' and ')} sources, not of ${kind}`)
  const parsed = schema.safeParse({ name, ...options })
  if (!parsed.success)
    throw new UserError(`${where}: ${describeIssue(parsed.error.issues[0]!, { knownKeys: () => SOURCE_OPTIONS })}`)
  const { deadline, queue, rate, late, pixels, model, count, size, fps, format, ...rest } = parsed.data
  if (late === 'cancel' && deadline === Number.POSITIVE_INFINITY)
    throw new UserError(`${where}: late=cancel is for a source with a deadline; add deadline=500ms`)
  if (options['pixels'] !== undefined && argument !== 'frames')
    throw new UserError(`${where}: pixels is an option of stdin:frames; leave it out`)
  const qos = rest.qos === '0' ? 0 : 1
  // A camera is to be seen as it is now; everything else waits.
  const drop =
    parsed.data.drop ??
    ((kind === 'video' && isLiveVideo(argument, format)) || (kind === 'mqtt' && qos === 0) ? 'oldest' : 'none')
  const admission = { deadline, drop, queue, rate, late }
  const spec = {
    ...rest,
    qos,
    kind,
    argument,
    admission,
    model,
    count,
    size,
    fps,
    format,
    channels: pixels === 'gray' ? 1 : 3
  } as const
  const arrivals =
    isLiveKind(kind) && Math.min(rate, fps ?? rate) < Number.POSITIVE_INFINITY
      ? ({ kind: 'poisson', rate: Math.min(rate, fps ?? rate) } as const)
      : rest.arrivals
  return { ...spec, ...placeOf(spec, where), arrivals }
}

type Placed = Pick<SourceSpec, 'kind' | 'argument' | 'size' | 'admission' | 'arrivals' | 'qos'>

/** @throws UserError where what stands behind the kind, or an option, does not fit it */
const placeOf = (
  { kind, argument, size, admission, arrivals, qos }: Placed,
  where: string
): Pick<SourceSpec, 'folder' | 'synthetic'> => {
  if (!isLiveKind(kind) && admission.drop !== 'none' && arrivals.kind === 'saturated')
    throw new UserError(
      `${where}: drop=${admission.drop} needs arrivals=: the items of a ${kind} source wait until they are wanted`
    )
  if (kind === 'synthetic') return { folder: '', synthetic: syntheticCount(argument, where) }
  if (kind === 'stdin') {
    if (!['', 'lines', 'frames'].includes(argument))
      throw new UserError(`${where}: stdin:${argument} must be stdin:lines or stdin:frames`)
    if ((argument === 'frames') !== (size !== undefined))
      throw new UserError(`${where}: stdin:frames needs size=WIDTHxHEIGHT, and nothing else has it`)
    return { folder: '', synthetic: undefined }
  }
  if (kind === 'mqtt') {
    if (qos === 0 && admission.drop === 'none')
      throw new UserError(
        `${where}: drop=none needs qos=1: messages of qos=0 do not wait; set drop=oldest or drop=newest`
      )
    parseMqttAddress(mqttAddressOf(argument), where)
    return { folder: '', synthetic: undefined }
  }
  if (kind === 'video') {
    if (argument === '') throw new UserError(`${where}: needs a file, an address or a device: video:INPUT`)
    return { folder: '', synthetic: undefined }
  }
  if (argument === '') throw new UserError(`${where}: folder: needs a folder: ${kind}:PATH`)
  return { folder: argument, synthetic: undefined }
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
