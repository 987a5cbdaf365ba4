import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import { isPolicyName, POLICIES, POLICY_NAMES } from './policies.ts'
import type { CreatePolicy, Policy } from './policy.ts'

const METHODS = ['reportInterval', 'admit', 'next', 'rank', 'sent', 'arrived', 'report', 'remark', 'heard'] as const
const MAY_LACK = ['startAnew', 'beforeSend', 'urgency', 'yields', 'returned', 'forget'] as const

/**
 * A policy as a program gives it: one of the known ones by name, or a function of its own, whose policies are looked at as they
 * are made.
 * @throws UserError `badPolicy` that names what it is, or what a policy of its own lacks; the latter when one is made
 */
export const policyOf = (given: unknown): CreatePolicy => {
  if (typeof given === 'function') return lookedAt(given as CreatePolicy)
  const name = typeof given === 'string' ? given : JSON.stringify(given)
  if (isPolicyName(name)) return POLICIES[name]
  const near = nearest(name, POLICY_NAMES)
  throw new UserError(
    `"${name}" is not a policy${near === undefined ? '' : `, did you mean ${near}?`}: give a function that creates one, or one of ${POLICY_NAMES.join(', ')}`,
    { code: 'badPolicy', facts: { policy: name } }
  )
}

/** What is no policy would fail at every datum, for as long as the device runs. */
const lookedAt =
  (create: CreatePolicy): CreatePolicy =>
  host => {
    const policy = create(host)
    requirePolicy(policy, create.name)
    return policy
  }

const requirePolicy = (policy: Policy, creator: string): void => {
  if (typeof policy !== 'object' || policy === null)
    throw badPolicy(creator, `returns ${String(policy)}, which is no policy`, [])
  const isMethod = (name: keyof Policy): boolean => typeof policy[name] === 'function'
  const wrong = [
    ...(typeof policy.name === 'string' && policy.name !== '' ? [] : ['name']),
    ...METHODS.filter(name => !isMethod(name)),
    ...MAY_LACK.filter(name => policy[name] !== undefined && !isMethod(name))
  ]
  if (wrong.length > 0) throw badPolicy(creator, `returns a policy without ${wrong.join(', ')}`, wrong)
  const interval = policy.reportInterval()
  if (!(interval > 0 && interval < Number.POSITIVE_INFINITY))
    throw badPolicy(creator, `returns a policy whose reportInterval() is ${interval}, not seconds above 0`, [
      'reportInterval'
    ])
}

const badPolicy = (creator: string, words: string, missing: readonly string[]): UserError =>
  new UserError(`the function${creator === '' ? '' : ` "${creator}"`} that is to create a policy ${words}`, {
    code: 'badPolicy',
    facts: { missing }
  })
