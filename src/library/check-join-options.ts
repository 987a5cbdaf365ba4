import { availableParallelism, hostname } from 'node:os'
import { z } from 'zod'
import { ENCODING_CHOICES } from '../core/activation-encoding.ts'
import { checkedOptions } from '../core/checked-options.ts'
import { exactModel } from '../core/exact-model.ts'
import { laneLimit } from '../core/lane-limit.ts'
import { parseModelReference } from '../core/model-reference.ts'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import { parseSize } from '../core/parse-quantity.ts'
import { bytes } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { parseWeightChoice, type WeightChoice } from '../core/weight-choice.ts'
import { refuseNamesakes } from '../runtime/device/refuse-namesakes.ts'
import { PROVIDER_CHOICES } from '../runtime/engine/providers/provider-name.ts'
import { providerSettingsSchema } from '../runtime/engine/providers/provider-settings.ts'
import { decodeInvite, isInvite } from '../runtime/network/invite.ts'
import { dialable, parseAddress } from '../runtime/network/parse-address.ts'
import { type Endpoint, parseEndpoint } from '../runtime/parse-endpoint.ts'
import { policyOf } from '../scheduler/policy-of.ts'
import type { LogLine } from './cluster-events.ts'
import type { JoinOptions, ModelOptions } from './join-options.ts'
import { oneOrMore } from './one-or-more.ts'
import { quantity } from './quantity.ts'

const count = z.int().min(1)
const dims = z.array(z.int().min(0))

const weights = z.string().transform((text, context): WeightChoice => {
  try {
    return parseWeightChoice(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
    return z.NEVER
  }
})

const modelSchema = z.strictObject({
  file: z.string().min(1),
  name: z
    .string()
    .regex(/^[^/\\:@]{1,64}(?:@[^/\\:]{1,64})?$/, 'must be without slashes and colons, at most 64 characters')
    .optional(),
  shapes: z.record(z.string(), dims).default({}),
  blocks: count.max(256).default(12),
  cutAt: z.array(z.string()).default([]),
  weights: weights.optional(),
  pinned: z.boolean().default(false)
})

const named = ({ name: given, ...model }: z.output<typeof modelSchema>) => {
  const { name, fingerprint } = parseModelReference(given ?? model.file.replace(/^.*[/\\]/, '').replace(/\.onnx$/, ''))
  return { ...model, name, ...(fingerprint === undefined ? {} : { fingerprint }) }
}

const endpoint = (option: string) =>
  z.union([z.int().min(0).max(65_535).transform(String), z.string()]).transform((text, context): Endpoint => {
    try {
      return parseEndpoint(option, text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })

const pem = z.string().startsWith('-----BEGIN', 'must be PEM')

const serveSchema = z
  .strictObject({
    http: endpoint('http').optional(),
    grpc: endpoint('grpc').optional(),
    token: z
      .string()
      .regex(/^[\x21-\x7e]{8,4096}$/, 'must be 8 to 4096 characters without spaces')
      .optional(),
    tls: z.strictObject({ cert: pem, key: pem }).optional(),
    models: z.string().min(1).optional(),
    replace: z.boolean().default(false),
    limit: quantity(parseSize, '64MiB').default(bytes(256 * 2 ** 20))
  })
  .refine(({ http, grpc }) => http !== undefined || grpc !== undefined, 'needs http or grpc')

const tracingSchema = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/, error: 'must be a URL like http://collector:4318' }).optional(),
  sample: z.number().min(0).max(1).optional()
})

const isFunction = (value: unknown): boolean => typeof value === 'function'

const laneChoice = z.union([count.max(256), z.literal('auto')])

const schema = z.strictObject({
  name: z
    .string()
    .regex(NAME_PATTERN, NAME_WORDS)
    .default(() => hostname()),
  state: z.string().min(1).optional(),
  join: oneOrMore(z.string().min(1)).default([]),
  clusterKey: z.string().min(1).optional(),
  listen: oneOrMore(z.string().min(1)).default([]),
  mdns: z.boolean().default(true),
  memory: quantity(parseSize, '64MiB').optional(),
  speed: z.number().min(1e-6).max(1).optional(),
  threads: laneChoice.default(1),
  lanes: laneChoice.default(1),
  provider: z.enum(PROVIDER_CHOICES).default('cpu'),
  providerOptions: providerSettingsSchema.default({}),
  policy: z.unknown().default('confluence').transform(policyOf),
  activationEncoding: z.enum(ENCODING_CHOICES).default('fp32'),
  audit: z.number().min(0).max(1).default(0),
  models: z.array(modelSchema).default([]),
  accepts: z.array(z.string()).default([]),
  serve: serveSchema.optional(),
  tracing: tracingSchema.optional(),
  startWhen: count.max(10_000).default(1),
  signal: z.instanceof(AbortSignal, { error: 'must be an AbortSignal' }).optional(),
  log: z.custom<(line: LogLine) => void>(isFunction, 'must be a function').optional()
})

/** A model's name is known, and the policy is a function. */
export type CheckedModel = ReturnType<typeof named>
export type CheckedOptions = Omit<z.output<typeof schema>, 'models'> & { readonly models: readonly CheckedModel[] }

/** @throws UserError `badOption`, `badPolicy`, `badAddress`, `badInvite`, or `nameTaken` for two models of one name */
export const checkJoinOptions = (options: JoinOptions): CheckedOptions => {
  const all = checkedOptions(schema, options, 'joinCluster')
  const models = all.models.map(named)
  refuseNamesakes(models)
  refuseBadWays(all)
  refuseOddLanes(all)
  return { ...all, models }
}

/** What is measured is this machine's processor. */
const refuseOddLanes = ({ lanes, threads, speed, provider }: z.output<typeof schema>): void => {
  const isAuto = lanes === 'auto' || threads === 'auto'
  const option = lanes === 1 ? 'threads' : 'lanes'
  const refuse = (because: string): never => {
    throw new UserError(`joinCluster: ${option}: ${because}`, { code: 'badOption', facts: { option } })
  }
  if (isAuto && speed !== undefined) refuse('auto measures this machine, and speed stands for another: give numbers')
  if ((isAuto || lanes !== 1) && provider !== 'cpu')
    refuse('lanes and threads are of the processor: leave provider out, or auto and more than one lane')
  if (lanes === 'auto' || threads === 'auto' || speed !== undefined) return
  const limit = laneLimit(lanes, threads, availableParallelism())
  if (limit !== undefined) refuse(`${lanes} with ${threads} threads each ${limit}`)
}

/** What is neither an address nor an invite is said before a state folder is touched. */
const refuseBadWays = ({ listen, join, accepts }: Pick<CheckedOptions, 'listen' | 'join' | 'accepts'>): void => {
  for (const text of accepts) exactModel('joinCluster: accepts:', text)
  for (const text of listen) parseAddress(text, 'listen')
  for (const text of join) isInvite(text) ? decodeInvite(text) : dialable([text])
}

/** @throws UserError `badOption` */
export const checkModelOptions = (options: ModelOptions): CheckedModel =>
  named(checkedOptions(modelSchema, options, 'addModel'))
