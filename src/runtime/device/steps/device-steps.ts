import { z } from 'zod'
import { datumStepSchema } from '../../ports/datum-step.ts'

/** What one device did lately, on its own clock: how it answers another one. */
export const deviceStepsSchema = z.object({
  /** Of its process: with another one numbers and clock begin anew. */
  life: z.string().max(64),
  /** Its clock, at the answer. */
  now: z.number(),
  /** Steps that it has made in its life: ask for those after this number next. */
  next: z.int().min(0),
  /** Steps after the number asked for that it has forgotten, or that were more than wanted. */
  missed: z.int().min(0),
  /** In the order in which they ended. */
  steps: z.array(datumStepSchema).max(10_000)
})

export type DeviceSteps = z.infer<typeof deviceStepsSchema>
