import { hostname } from 'node:os'
import { z } from 'zod'
import { ENCODING_CHOICES } from '../core/activation-encoding.ts'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import { parseSize } from '../core/parse-quantity.ts'
import { POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { checked, oneOrMore, quantity } from './checked.ts'
import type { LogLine } from './cluster-events.ts'
import type { JoinOptions, ModelOptions } from './join-options.ts'

const count = z.int().min(1)
const dims = z.array(z.int().min(0))

const modelSchema = z.strictObject({
  file: z.string().min(1),
  name: z
    .string()
    .regex(/^[^/\\:]{1,64}$/, 'must be without slashes and colons, at most 64 characters')
    .optional(),
  shapes: z.record(z.string(), dims).default({}),
  blocks: count.max(256).default(12),
  cutAt: z.array(z.string()).default([]),
  pinned: z.boolean().default(false)
})

const isFunction = (value: unknown): boolean => typeof value === 'function'

const policy = z.custom<PolicyName | CreatePolicy>(
  value => isFunction(value) || POLICY_NAMES.includes(value as PolicyName),
  `must be a function that creates a policy, or one of ${POLICY_NAMES.join(', ')}`
)

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
  threads: count.max(256).default(1),
  policy: policy.default('confluence'),
  activationEncoding: z.enum(ENCODING_CHOICES).default('fp32'),
  models: z.array(modelSchema).default([]),
  startWhen: count.max(10_000).default(1),
  signal: z.instanceof(AbortSignal, { error: 'must be an AbortSignal' }).optional(),
  log: z.custom<(line: LogLine) => void>(isFunction, 'must be a function').optional()
})

export type CheckedOptions = z.output<typeof schema>
export type CheckedModel = z.output<typeof modelSchema>

/** @throws UserError `badOption` */
export const checkJoinOptions = (options: JoinOptions): CheckedOptions => checked(schema, options, 'joinCluster')

/** @throws UserError `badOption` */
export const checkModelOptions = (options: ModelOptions): CheckedModel => checked(modelSchema, options, 'addModel')
