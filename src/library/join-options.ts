import { hostname } from 'node:os'
import { z } from 'zod'
import { ENCODING_CHOICES, type EncodingChoice } from '../core/activation-encoding.ts'
import { NAME_PATTERN, NAME_WORDS } from '../core/name-pattern.ts'
import { parseSize } from '../core/parse-quantity.ts'
import { POLICY_NAMES, type PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import { checked, oneOrMore, quantity } from './checked.ts'
import type { LogLine } from './cluster-events.ts'

/** A model that this device brings into the cluster: it is cut here, and its blocks are fetched from here. */
export interface ModelOptions {
  /** The ONNX file. */
  readonly file: string
  /** What sources call it. @default the file's name without .onnx */
  readonly name?: string
  /** A shape for each input that has dynamic dimensions: { x: [1, 3, 48, 320] }. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
  /** Cut into at most so many blocks. @default 12 */
  readonly blocks?: number
  /** Cut exactly at these tensors instead. */
  readonly cutAt?: readonly string[]
  /** The first block runs on the device of the datum's source and nowhere else: raw data stay there. @default false */
  readonly pinned?: boolean
}

export interface JoinOptions {
  /** What the others call this device. @default the host's name */
  readonly name?: string
  /** Folder for what outlives the process: identity, key, blocks, addresses of others. @default ~/.tributary/NAME */
  readonly state?: string
  /**
   * Invites (`cluster.invite()`, or what `tributary invite` prints), or addresses where the key is there already. Absent: the
   * cluster that the state folder belongs to, or a new one.
   */
  readonly join?: string | readonly string[]
  /** File of the shared key. @default in the state folder */
  readonly clusterKey?: string
  /** Addresses to listen on, like "192.168.1.5:6174" or "127.0.0.1:0". @default everywhere, on port 6174 or the next that is free */
  readonly listen?: string | readonly string[]
  /** Whether devices are looked for on the local network. @default true */
  readonly mdns?: boolean
  /** Limit for the blocks carried here: bytes, or text like "64MiB". @default not limited */
  readonly memory?: number | string
  /** Emulate a slower device: 0.25 takes four times as long. @default 1, not emulated */
  readonly speed?: number
  /** Threads inside ONNX Runtime's operators. @default 1 */
  readonly threads?: number
  /** Who computes what next: a policy by name or one of your own; the same on all devices. @default confluence */
  readonly policy?: PolicyName | CreatePolicy
  /** How activations travel: anything but fp32 changes results a little; the same on all devices. @default fp32 */
  readonly activationEncoding?: EncodingChoice
  readonly models?: readonly ModelOptions[]
  /** Sources wait until so many devices are there and ready. @default 1 */
  readonly startWhen?: number
  /** Hears what the device has to say to people, from the first line on. @default nobody */
  readonly log?: (line: LogLine) => void
}

const count = z.int().min(1)
const dims = z.array(z.int().min(0))

export const modelSchema = z.strictObject({
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
  log: z.custom<(line: LogLine) => void>(isFunction, 'must be a function').optional()
})

export type CheckedOptions = z.output<typeof schema>
export type CheckedModel = z.output<typeof modelSchema>

/** @throws UserError `badOption` */
export const checkJoinOptions = (options: JoinOptions): CheckedOptions => checked(schema, options, 'joinCluster')
