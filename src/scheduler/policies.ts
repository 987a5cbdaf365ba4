import { createArMdi } from './ar-mdi.ts'
import { createBackpressure } from './backpressure.ts'
import { createConfluence } from './confluence.ts'
import { createDdi } from './ddi.ts'
import { createLocal } from './local.ts'
import { createMsMdi } from './ms-mdi.ts'
import { createPaMdi } from './pa-mdi.ts'
import { createPipeEdge } from './pipeedge.ts'
import type { CreatePolicy } from './policy.ts'

/** Every policy by the name that users write. */
export const POLICIES = {
  local: createLocal,
  ddi: createDdi,
  'ar-mdi': createArMdi,
  'ms-mdi': createMsMdi,
  'pa-mdi': createPaMdi,
  pipeedge: createPipeEdge(),
  backpressure: createBackpressure(),
  confluence: createConfluence()
} as const satisfies Readonly<Record<string, CreatePolicy>>

/** What users call a policy. */
export type PolicyName = keyof typeof POLICIES

/** All of them. */
export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[]

export const isPolicyName = (text: string): text is PolicyName => Object.hasOwn(POLICIES, text)
