import type { PolicyName } from '../src/scheduler/policies.ts'

/** A policy, with or without adapting: costs, rates and placement stay as they are at the start. */
export interface Variant {
  readonly name: string
  readonly policy: PolicyName
  readonly adapts: boolean
}

/** What adapting is compared with. */
export const VARIANTS: readonly Variant[] = [
  { name: 'confluence', policy: 'confluence', adapts: true },
  { name: 'confluence, adaptation off', policy: 'confluence', adapts: false },
  { name: 'ar-mdi', policy: 'ar-mdi', adapts: true }
]
