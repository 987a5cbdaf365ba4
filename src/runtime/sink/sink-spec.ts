import { z } from 'zod'
import { describeIssue } from '../../core/describe-issue.ts'
import { nearest } from '../../core/nearest.ts'
import { parseSize, parseTime } from '../../core/parse-quantity.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { decodedPart } from '../io/decoded-part.ts'
import type { MqttAddress } from '../io/mqtt-address.ts'
import { STDOUT } from './open-line-target.ts'
import type { Rotation } from './sink-writer.ts'

/** A sink as `--sink` names it. */
export type SinkSpec = LinesSpec | WebhookSpec | MqttSpec

interface AnySpec {
  /** As it was written. */
  readonly text: string
  /** Names of the sources whose outcomes it takes; undefined for all. */
  readonly sources: readonly string[] | undefined
}

/** A file, a FIFO, a device, or standard output. */
export interface LinesSpec extends AnySpec {
  readonly kind: 'lines'
  /** A path, or `-`. */
  readonly path: string
  readonly rotation: Rotation | undefined
}

export interface DeliverySpec extends AnySpec {
  readonly url: URL
  /** File of the token or password. */
  readonly secret: string | undefined
  readonly timeout: Seconds
  /** So much may wait for its delivery. */
  readonly backlog: Bytes
}

export interface WebhookSpec extends DeliverySpec {
  readonly kind: 'webhook'
  readonly batch: number
}

export interface MqttSpec extends DeliverySpec {
  readonly kind: 'mqtt'
  readonly address: MqttAddress
  readonly topic: string
  readonly qos: 0 | 1
}

const quantity = <T extends number>(parse: (text: string) => T, least: T, words: string) =>
  z.string().transform((text, context): T => {
    try {
      const value = parse(text)
      if (value >= least) return value
      context.addIssue({ code: 'custom', message: `${text} is less than ${words}` })
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
    return z.NEVER
  })

const whole = (most: number, what: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}$/, `must be ${what}, 1 to ${most}`)
    .transform(Number)
    .pipe(z.number().max(most))

const sources = z
  .string()
  .transform(text => text.split('+'))
  .optional()

const lines = z.strictObject({
  rotate: quantity(parseSize, bytes(4096), '4KiB').optional(),
  keep: whole(999_999, 'how many rotated files remain').optional(),
  sources
})
const delivery = z.strictObject({
  'secret-file': z.string().min(1).optional(),
  timeout: quantity(parseTime, seconds(0.001), '1ms').default(seconds(10)),
  backlog: quantity(parseSize, bytes(4096), '4KiB').default(bytes(2 ** 30)),
  sources
})
const webhook = delivery.extend({ batch: whole(10_000, 'how many results make one request').default(1) })
const mqtt = delivery.extend({ qos: z.enum(['0', '1']).default('1') })

/** All there are, of whatever kind of sink. */
export const SINK_OPTIONS: readonly string[] = [
  ...new Set([lines, webhook, mqtt].flatMap(({ shape }) => Object.keys(shape)))
]

/**
 * "results.jsonl,rotate=64MiB,keep=10", "-", "webhook:https://host/path,batch=20", "mqtt://broker/topic,sources=door+cam"
 * @throws UserError that names the field, the value and what it may be
 */
export const parseSinkSpec = (text: string): SinkSpec => {
  if (/^webhook:/i.test(text)) return webhookSpec(text)
  if (/^mqtts?:/i.test(text)) return mqttSpec(text)
  return linesSpec(text)
}

const linesSpec = (text: string): LinesSpec => {
  const [target, { rotate, keep, sources: names }] = read(text, lines)
  const path = target.replace(/^file:/, '')
  const where = `sink "${shownSink(text)}"`
  if (path === '') throw new UserError(`${where}: needs a file, or - for standard output`)
  if (/^https?:/i.test(path)) throw new UserError(`${where}: is an address; write webhook:${shownSink(path)}`)
  if (keep !== undefined && rotate === undefined) throw new UserError(`${where}: keep goes with rotate=SIZE`)
  if (rotate !== undefined && STDOUT.includes(path))
    throw new UserError(`${where}: standard output is no file that could be rotated; leave rotate out`)
  const rotation = rotate === undefined ? undefined : { size: rotate, keep }
  return { kind: 'lines', text, path, rotation, sources: names }
}

/** @throws UserError where its user or password has an escape that is none */
const addressOf = (url: URL, where: string): MqttAddress => {
  const isSecure = url.protocol === 'mqtts:'
  const port = url.port === '' ? (isSecure ? 8883 : 1883) : Number(url.port)
  const part = (field: 'username' | 'password'): string | undefined =>
    url[field] === '' ? undefined : decodedPart(url[field], `${where}: ${field}`)
  return {
    ...{ host: url.hostname.replace(/^\[|\]$/g, ''), port, isSecure, topic: url.pathname.slice(1) },
    ...{ user: part('username'), password: part('password'), shown: shownTarget(url.href) }
  }
}

const webhookSpec = (text: string): WebhookSpec => {
  const [target, options] = read(text, webhook)
  const url = urlOf(target.replace(/^webhook:/i, ''))
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UserError(
      `sink "${shownSink(text)}" is not webhook:http://HOST/PATH or webhook:https://HOST/PATH (in a password, / is %2F and @ is %40)`
    )
  for (const field of ['username', 'password'] as const) decodedPart(url[field], `sink "${shownSink(text)}": ${field}`)
  return { kind: 'webhook', text, url, batch: options.batch, ...shared(options) }
}

const mqttSpec = (text: string): MqttSpec => {
  const [target, options] = read(text, mqtt)
  const where = `sink "${shownSink(text)}"`
  const url = urlOf(target)
  const topic = decodedPart(url?.pathname.slice(1) ?? '', `${where}: topic`)
  if (url === undefined || url.hostname === '' || topic === '' || /[#+\0]/.test(topic) || target.includes('#'))
    throw new UserError(
      `${where} is not mqtt://HOST[:PORT]/TOPIC, a topic without # and + (in a password, / is %2F and @ is %40)`
    )
  return {
    kind: 'mqtt',
    text,
    url,
    address: addressOf(url, where),
    topic,
    qos: options.qos === '0' ? 0 : 1,
    ...shared(options)
  }
}

const shared = ({ timeout, backlog, sources: names, ...options }: z.output<typeof delivery>) => ({
  ...{ timeout, backlog, sources: names },
  secret: options['secret-file']
})

const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

/** For messages: without a password that stands in it, whatever it holds: it ends at the last `@`. */
export const shownSink = (text: string): string => text.replace(/(\/\/[^/:@\s]*):\S*@/, '$1:***@')

/** For messages: where it leads to, options and passwords aside. */
export const shownTarget = (text: string): string => shownSink(text.replace(/,[a-z-]+=.*/is, ''))

const read = <T extends z.ZodObject>(text: string, schema: T): [target: string, options: z.output<T>] => {
  const where = `sink "${shownSink(text)}"`
  const known = Object.keys(schema.shape)
  const [target, options] = splitOptions(text, where, known)
  const parsed = schema.safeParse(options)
  if (parsed.success) return [target, parsed.data]
  throw new UserError(`${where}: ${describeIssue(parsed.error.issues[0]!, { knownKeys: () => known })}`)
}

/** A comma of the target is one that no `key=` follows. */
const splitOptions = (
  text: string,
  where: string,
  known: readonly string[]
): [target: string, options: Record<string, string>] => {
  const [target = '', ...parts] = text.split(/,(?=[A-Za-z-]+=)/)
  const options: Record<string, string> = {}
  for (const part of parts) {
    const [key = '', value = ''] = part.split(/=(.*)/s, 2)
    const near = nearest(key, known)
    if (!known.includes(key))
      throw new UserError(
        `${where}: unknown option "${key}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${known.join(', ')})`
      )
    if (options[key] !== undefined) throw new UserError(`${where}: ${key} is given twice; keep one`)
    options[key] = value
  }
  return [target, options]
}
